#!/bin/sh
# Install the Debian packages that the test suite uses: only as root on Debian; otherwise say what will be skipped.
set -eu
PACKAGES="docker.io mmdebstrap qemu-system-x86 qemu-utils fdisk e2fsprogs eatmydata debootstrap openssh-client openssh-server sudo iproute2 nftables postgresql chromium rpm auditd fuse3 nodejs npm git"
missing=""
for package in $PACKAGES; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
case " $missing " in *" nodejs "*) command -v node >/dev/null && missing=$(echo "$missing" | sed 's/ nodejs//') ;; esac
case " $missing " in *" npm "*) command -v npm >/dev/null && missing=$(echo "$missing" | sed 's/ npm//') ;; esac
[ -n "${missing# }" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
    echo "Not root on Debian: tests that need these packages are skipped with their reason:$missing" >&2
    exit 0
fi
# No service may start because a test wants its programs.
policy=/usr/sbin/policy-rc.d
made=""
if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; made=yes; fi
trap '[ -z "$made" ] || rm -f "$policy"' EXIT INT TERM
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
