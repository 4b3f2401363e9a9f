"""What a user, or an attacker who once was root, leaves on a server to stop, mislead or use whoever reads it as root.

Each text is a Python program that runs on the target as root; what keeps running is a child that outlives it.
"""

from __future__ import annotations

SETUP = r"""
import ctypes, os, pathlib, pwd, socket, subprocess, sys, time

os.umask(0o022)
libc = ctypes.CDLL(None, use_errno=True)


def user(name, home=None):
    home = home or "/home/" + name
    subprocess.run(["useradd", "-M", "-d", home, "-s", "/bin/bash", name], check=True)
    return pwd.getpwnam(name)


def homes(name):
    found = user(name)
    ssh = pathlib.Path(found.pw_dir, ".ssh")
    ssh.mkdir(parents=True)
    for path in (ssh.parent, ssh):
        os.chown(path, found.pw_uid, found.pw_gid)
    return found, ssh


def keep(function, uid=0):
    # A process of its own that goes on when this program ends.
    if os.fork():
        return
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    if uid:
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    try:
        function()
    finally:
        os._exit(0)


def wait_for_ever():
    while True:
        time.sleep(1000)

"""

FILES = r"""
SECRET = b"hostilesecret7tulpe"
pathlib.Path("/root/secret").write_bytes(SECRET + b"\n")

# A FIFO, a socket and a device in place of authorized_keys; a hard link to shadow where links are not protected.
found, ssh = homes("fifo")
os.mkfifo(ssh / "authorized_keys")
os.chown(ssh / "authorized_keys", found.pw_uid, found.pw_gid)
os.mkfifo("/etc/cron.d/fifo")
os.mkfifo("/etc/sudoers.d/fifo")
os.mkfifo("/etc/sysctl.d/50-fifo.conf")

# Links that a user owns or that lie where a user may move them.
found, ssh = homes("linker")
os.symlink("/root/secret", ssh / "authorized_keys")
os.lchown(ssh / "authorized_keys", found.pw_uid, found.pw_gid)
pathlib.Path("/home/linker/rules").write_text("# nothing: sudo itself quotes what it cannot parse\n")
for path in ("/etc/cron.d/users", "/etc/sudoers.d/users", "/etc/sysctl.d/60-users.conf", "/etc/modprobe.d/users.conf"):
    os.symlink("/home/linker/rules" if "sudoers" in path else "/home/linker/own", path)
    os.lchown(path, found.pw_uid, found.pw_gid)
os.symlink("/root/secret", "/home/linker/own")
os.lchown("/home/linker/own", found.pw_uid, found.pw_gid)

# A home that is a link to /etc, one below it, one that is a file, one with a line end in its name.
for name, home, target in (("etchome", "/home/etchome", "/etc"), ("upwards", "/home/linker/../../etc", None), ("rooted", "/", None)):
    found = user(name, home)
    if target:
        os.symlink(target, home)
        os.lchown(home, found.pw_uid, found.pw_gid)

# Huge sparse files, and one that grows while it is read.
found, ssh = homes("sparse")
for path in (ssh / "authorized_keys", "/etc/cron.d/sparse", "/etc/sysctl.d/70-sparse.conf", "/etc/modprobe.d/sparse.conf"):
    with open(path, "wb") as file:
        file.truncate(1 << 40)
found, ssh = homes("grower")


def grow():
    with open(ssh / "authorized_keys", "ab", 0) as file:
        while file.tell() < 1 << 26:
            file.write(b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 grows\n" * 1000)
            time.sleep(0.02)
    wait_for_ever()


keep(grow)

# A directory with 200,000 entries that cron reads, in memory so that it is made fast.
subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=400000", "many", "/var/spool/cron/crontabs"], check=True)
os.chdir("/var/spool/cron/crontabs")
for number in range(200000):
    os.close(os.open("u%d" % number, os.O_CREAT | os.O_WRONLY, 0o600))
os.chdir("/")
"""

NAMES = r"""
# Names that are no UTF-8, hold line ends, escape sequences, bidi marks and templates.
ODD = [b"\xff\xfe", b"caf\xe9", b"new\nline", b"\x1b]0;owned\x07\x1b[2J", "\u202etxt.exe".encode(), b"{{ 7*191 }}", b"a:b'c\"d`e$(id)", b"back\\x41slash", b"x" * 250]
found, ssh = homes("odd")
for name in ODD:
    for folder, mode in ((b"/etc/cron.d/", 0o666), (b"/home/odd/", 0o4777), (b"/tmp/", 0o666), (b"/etc/ssh/sshd_config.d/", 0o644), (b"/etc/systemd/system/", 0o644)):
        path = folder + name + (b".conf" if b"sshd" in folder else b".service" if b"systemd" in folder else b"")
        try:
            with open(path, "wb") as file:
                file.write(b"# nothing\n")
        except OSError:
            continue
        os.chown(path, found.pw_uid, found.pw_gid) if b"/home" in folder or b"/tmp" in folder else None
        os.chmod(path, mode)
with open("/etc/passwd", "ab") as file:
    file.write(b"b\xffd:x:1901:1901:\xfe\xff:/home/\xfe:/bin/\xff\n\x1b[31mred:x:1902:1902:\xe2\x80\xae:/home/odd:/bin/sh\nnul\0l:x:1903:1903::/:/bin/sh\n"
               b"{{ 7*191 }}:x:1904:1904::/home/{{ 7*191 }}:/bin/sh\n:::::\n" + b"z" * 70000 + b":x:1905:1905::/:/bin/sh\n")
with open("/etc/group", "ab") as file:
    file.write(b"g\xff:x:1906:\xfe,\x1b[2J\n")
with open("/etc/fstab", "ab") as file:
    file.write(b"/dev/\xff /mnt/\xfe ext4 \xfd 0 0\n")
os.makedirs(b"/home/\xfe/.ssh")
os.symlink(b"/nowhere/\xff", b"/home/\xfe/.ssh/authorized_keys")
os.chown(b"/home/\xfe/.ssh", 1901, 1901)
os.lchown(b"/home/\xfe/.ssh/authorized_keys", 1901, 1901)
os.chown(b"/home/\xfe", 1901, 1901)
libc.sethostname(b"ev\xffil\x1b[2J{{7*191}}", 20)
"""

LIVE = r"""
# A link that is swapped with a file again and again by its user.
found, ssh = homes("swapper")
(ssh / "authorized_keys").write_bytes(b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGhvc3RpbGVob3N0aWxlaG9zdGlsZWhvc3RpbGVob3N0 swaps\n")
os.chown(ssh / "authorized_keys", found.pw_uid, found.pw_gid)


def swap():
    os.chdir(ssh)
    while True:
        for _turn in range(50):
            try:
                os.symlink("/root/secret", "link")
                os.rename("authorized_keys", "kept")
                os.rename("link", "authorized_keys")
                os.unlink("authorized_keys")
                os.rename("kept", "authorized_keys")
            except OSError:
                time.sleep(0.001)
        time.sleep(0.003)


keep(swap, found.pw_uid)

# Processes by the thousand, some with names that lie.
LIES = [b"[kworker/0:0]", b"sshd: root@pts/0", b"x) S 1 (y", b"a\nb", b"\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe".encode(), b"{{ 7*191 }}", b"\xff\xfe", b"/usr/sbin/sshd", b""]
odd = pwd.getpwnam("fifo").pw_uid
for lie in LIES:
    if not os.fork():
        os.setsid()
        libc.prctl(15, lie[:15], 0, 0, 0)
        os.setresgid(odd, odd, odd)
        os.setresuid(odd, odd, odd)
        os.execve("/bin/sleep", [lie or b"-", b"9999"], {})
for number in range(2000):
    if not os.fork():
        os.setsid()
        os.setresgid(odd, odd, odd)
        os.setresuid(odd, odd, odd)
        os.execve("/bin/sleep", ["sleep", "9999"], {})


def listen():
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    libc.prctl(15, b"li\nst\x1b[2Jen", 0, 0, 0)
    sockets = []
    for number in range(10000):
        sockets.append(socket.socket())
        sockets[-1].bind(("127.0.%d.%d" % (number // 200 + 1, number % 200 + 1), 5000 + number % 7))
        sockets[-1].listen(1)
    wait_for_ever()


keep(listen)
rules = "table ip flood {\n chain input { type filter hook input priority 20; policy accept;\n"
rules += "".join("ip saddr 10.%d.%d.0/24 tcp dport %d accept comment \"\x1b[2J{{7*191}}\"\n" % (n // 250, n % 250, n % 60000 + 1) for n in range(10000))
subprocess.run(["nft", "-f", "-"], input=(rules + "}\n}\n").encode(), check=True)
"""

HUNG = r"""
# A FUSE file system whose server takes no request: whoever touches it waits for ever.
import struct


def hang(point):
    os.makedirs(point, exist_ok=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    data = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
    if libc.mount(b"hung", point.encode(), b"fuse", 0, data):
        sys.exit("FUSE cannot be mounted: " + os.strerror(ctypes.get_errno()))
    os.set_inheritable(device, True)
    keep(wait_for_ever)
    os.close(device)


user("hung", "/home/hung")
hang("/home/hung")
hang("/mnt/hung")
"""

TRAPS = r"""
# Programs, modules and shell settings in the log-in user's home that would run as root if anything trusted that home.
home = pathlib.Path("/home/deploy")
uid = pwd.getpwnam("deploy").pw_uid
note = home / "note"
note.write_text("#!/bin/sh\n/bin/echo \"$(/usr/bin/id -u) $1\" >>/var/tmp/trapped\n")
pathlib.Path("/var/tmp/trapped").touch(0o666)
os.chmod("/var/tmp/trapped", 0o666)
(home / "bin").mkdir()
for name in ("python3", "python3.11", "systemctl", "env", "cat", "sh", "id", "dpkg-query", "sshd", "nft", "uname", "command", "ls", "sleep", "echo", "true"):
    (home / "bin" / name).write_text("#!/bin/sh\n/home/deploy/note bin/%s\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nexec %s \"$@\"\n" % (name, name))
for name in ("sitecustomize", "usercustomize", "json", "zlib", "base64", "zipfile", "tempfile", "ctypes", "importlib", "ansible", "encodings", "os", "selectors", "ringwall_target"):
    code = "import sys\nimport posix\nposix.system('/home/deploy/note module/%s') if hasattr(posix, 'system') else None\n" % name
    code += "sys.path[:] = [p for p in sys.path if 'deploy' not in p and p != '']\nsys.modules.pop(__name__, None)\nfrom importlib import import_module\nsys.modules[__name__] = import_module(__name__)\n" if name in ("json", "zlib", "base64", "zipfile", "tempfile", "ctypes", "selectors") else ""
    for folder in (home, home / "py"):
        folder.mkdir(exist_ok=True)
        if name not in ("os", "encodings", "importlib"):
            (folder / (name + ".py")).write_text(code)
(home / ".local/lib/python3.11/site-packages").mkdir(parents=True)
for name in ("usercustomize", "sitecustomize"):
    (home / ".local/lib/python3.11/site-packages" / (name + ".py")).write_text("import posix\nposix.system('/home/deploy/note usersite/%s')\n" % name)
(home / ".local/lib/python3.11/site-packages/evil.pth").write_text("import posix; posix.system('/home/deploy/note usersite/pth')\n")
(home / "start").write_text("/home/deploy/note env/start\n")
(home / "start.py").write_text("import posix; posix.system('/home/deploy/note env/pythonstartup')\n")
# An administrator who lets the environment through: root then has the user's PATH.
pathlib.Path("/etc/sudoers.d/environment").write_text("Defaults:deploy !env_reset, !secure_path\n")
lines = ["export PATH=$HOME/bin:$PATH", "export BASH_ENV=$HOME/start ENV=$HOME/start", "export PYTHONSTARTUP=$HOME/start.py PYTHONPATH=$HOME/py PYTHONINSPECT=1 PYTHONWARNINGS=all",
         "export LD_PRELOAD=/home/deploy/evil.so LD_LIBRARY_PATH=/home/deploy/lib", "export SYSTEMD_PAGER=$HOME/note PAGER=$HOME/note LESSOPEN='|/home/deploy/note less'",
         "export PERL5LIB=$HOME/py XDG_CONFIG_HOME=$HOME", "command() { /home/deploy/note function/command; builtin command \"$@\"; }", "export -f command"]
for name in (".bashrc", ".profile", ".bash_profile", ".zshenv"):
    (home / name).write_text("\n".join(lines) + "\n")
(home / ".pam_environment").write_text("PATH DEFAULT=/home/deploy/bin:/usr/bin:/bin\nBASH_ENV DEFAULT=/home/deploy/start\n")
for folder, names, files in os.walk(home):
    for name in names + files:
        os.lchown(os.path.join(folder, name), uid, uid)
        if not os.path.islink(os.path.join(folder, name)) and ".ssh" not in folder:
            os.chmod(os.path.join(folder, name), 0o755)
"""
