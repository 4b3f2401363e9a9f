#!/bin/sh
# Make or refresh .venv from a lock file. Usage: make_venv.sh requirements/base.txt
set -eu
lock=$1
stamp=.venv/.$(basename "$lock" .txt).$(cksum <"$lock" | tr -d ' ')
[ ! -e "$stamp" ] || exit 0
python=""
for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer with its venv module is missing: install it (Debian: apt install python3 python3-venv), or name it with PYTHON=..." >&2
    exit 1
fi
command -v git >/dev/null || { echo "git is missing: install it (Debian: apt install git)" >&2; exit 1; }
[ -x .venv/bin/python ] || { echo "Making .venv" >&2; "$python" -m venv .venv; }
echo "Installing $lock" >&2
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" 2>&1 | { grep -v '^WARNING: Location' >&2 || true; }
.venv/bin/python -c 'import ansible' || { echo "The installation of $lock failed: the lines above say why" >&2; exit 1; }
rm -f .venv/."$(basename "$lock" .txt)".*
touch "$stamp"
