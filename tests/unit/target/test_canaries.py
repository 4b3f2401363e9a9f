"""Invented secrets lie where real hosts keep theirs; no table may bring one home."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.collect import collect
from ansible_collections.ringwall.servers.plugins.module_utils.tables import TABLES


def canary(number):
    """A secret without a shape of its own: only its place tells what it is."""
    return f"cnry{number:02d}Vq{number * 7919 % 9973}xw"


PLACES = {
    "etc/shadow": "root:$6$salt{0}$aaaaaaaaaaaaaaaaaaaa:19000:0:99999:7:::\nold:{1}.hash:19000:0:99999:7:::\n",
    "etc/gshadow": "wheel:$6$salt{0}$aaaaaaaaaaaaaaaaaaa::\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
    "legacy:$1$salt${0}aaaaaaaaaaaa:1001:1001::/home/legacy:/bin/sh\n",
    "etc/group": "root:x:0:\nweb:$1$salt${0}aaaaaaaaaaa:33:\n",
    "etc/security/opasswd": "ann:1001:1:$6$salt${0}aaaaaaaaaaaaaaaaaa\n",
    "etc/ssh/ssh_host_rsa_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n{0}\n-----END OPENSSH PRIVATE KEY-----\n",
    "root/.ssh/id_ed25519": "-----BEGIN OPENSSH PRIVATE KEY-----\n{0}\n-----END OPENSSH PRIVATE KEY-----\n",
    "root/.ssh/authorized_keys": "environment=\"API_TOKEN={0}\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me\n",
    "etc/crontab": "MAILTO=root\nDB_PASSWORD={0}\n17 * * * * root mysqldump -u root -p{1} shop > /b.sql\n"
    "18 * * * * root curl -u admin:{2} https://h/ && echo '{3}' | sudo -S true\n",
    "etc/cron.d/backup": "RESTIC_PASSWORD='{0} {1}'\n"
    "0 3 * * * root /usr/bin/restic backup /srv --password-command 'echo {2}'\n",
    "etc/cron.daily/sync": "#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY={0}\nrsync /a b:/\n",
    "var/spool/cron/crontabs/root": "5 4 * * * sshpass -p {0} scp /a b: ; PGPASSWORD={1} psql\n",
    "etc/systemd/system/app.service": "[Service]\nEnvironment=\"DB_PASSWORD={0}\"\nEnvironment=TOKEN={1}\n"
    "ExecStart=/usr/bin/app --api-key {2} --db postgresql://app:{3}@db/app\n"
    "ExecStartPre=/bin/sh -c 'echo {4} | kinit a'\n"
    "[Install]\nWantedBy=multi-user.target\n",
    "etc/systemd/system/app.timer": "[Timer]\nOnCalendar=daily\nUnit=app.service\n[Install]\nWantedBy=timers.target\n",
    "etc/systemd/system/app.service.d/more.conf": "[Service]\nExecStartPost=/bin/notify --token={0}\n",
    "etc/default/app": "APP_SECRET={0}\n",
    "etc/fstab": "//nas/share /mnt/nas cifs username=b,password={0},uid=0 0 0\n"
    "https://dav:{1}@cloud.example.org/x /mnt/dav davfs rw 0 0\n",
    "etc/crypttab": "data /dev/sdb1 /etc/keys/data.key luks\n",
    "etc/keys/data.key": "{0}\n",
    "etc/default/grub": "GRUB_CMDLINE_LINUX=\"quiet rd.iscsi.password={0} audit=1\"\n",
    "boot/grub/grub.cfg": "set superusers=root\npassword root {0}\n"
    "password_pbkdf2 root grub.pbkdf2.sha512.10000.{1}\n"
    "menuentry 'x' {{\n linux /vmlinuz root=/dev/sda1 luks.passphrase={2}\n}}\n",
    "boot/grub/user.cfg": "GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.{0}\n",
    "proc/cmdline": "root=/dev/sda1 api_token={0}\n",
    "etc/apt/sources.list": "deb https://bot:{0}@repo.example.org/debian stable main\n",
    "etc/apt/auth.conf": "machine repo.example.org login bot password {0}\n",
    "etc/apt/apt.conf.d/99proxy": "Acquire::http::Proxy \"http://u:{0}@proxy:3128\";\n",
    "etc/yum.repos.d/x.repo": "[x]\nname=x\nbaseurl=https://u:{0}@repo/x\npassword={1}\nenabled=1\n",
    "etc/sudoers": "root ALL=(ALL) ALL\nbob ALL=(root) NOPASSWD: /usr/bin/mysql -u root -p{0}\n",
    "etc/sudoers.d/x": "eve ALL=(root) /usr/bin/curl -u admin\\:{0} https\\://h\n",
    "etc/ssh/sshd_config": "PermitRootLogin no\nSetEnv APP_TOKEN={0}\nForceCommand /usr/bin/app --password {1}\n",
    "usr/sbin/sshd": "",
    "etc/rsyslog.conf": "*.* action(type=\"ommysql\" server=\"db\" db=\"logs\" uid=\"log\" pwd=\"{0}\")\n",
    "etc/rsyslog.d/es.conf": "action(type=\"omelasticsearch\" uid=\"e\" pwd=\"{0}\")\n*.* :ommysql:db,logs,user,{1}\n",
    "etc/chrony/chrony.keys": "1 SHA1 HEX:{0}\n",
    "etc/ntp.keys": "1 M {0}\n",
    "etc/pam.d/common-auth": "auth required pam_mysql.so user=root passwd={0} db=x\nauth required pam_unix.so\n",
    "etc/security/pam_env.conf": "API_KEY DEFAULT={0}\n",
    "etc/ldap.conf": "binddn cn=x\nbindpw {0}\n",
    "etc/nslcd.conf": "bindpw {0}\n",
    "etc/sssd/sssd.conf": "[domain/x]\nldap_default_authtok = {0}\n",
    "etc/sysctl.d/10-x.conf": "kernel.core_pattern=|/usr/bin/crash --token={0} %p\n",
    "etc/modprobe.d/x.conf": "install wifi /sbin/modprobe wifi psk={0}\noptions wifi key={1}\n",
    "etc/audit/auditd.conf": "log_file = /var/log/audit/audit.log\nkrb5_key_file = /etc/audit/audit.key\n",
    "etc/audit/rules.d/x.rules": "-w /etc/passwd -p wa -k identity\npassword={0}\n",
    "etc/wireguard/wg0.conf": "[Interface]\nPrivateKey = {0}\n",
    "etc/ufw/user.rules": "-A ufw-user-input -m comment --comment 'dapp_password={0}' -j ACCEPT\n",
    "root/.my.cnf": "[client]\npassword={0}\n",
    "root/.netrc": "machine h login u password {0}\n",
    "root/.docker/config.json": "{{\"auths\": {{\"r\": {{\"auth\": \"{0}\"}}}}}}\n",
    "root/.bash_history": "mysql -p{0}\n",
    "etc/environment": "API_TOKEN={0}\n",
    "var/lib/cloud/instance/user-data.txt": "#cloud-config\npassword: {0}\n",
    "var/lib/dpkg/status": "Package: x\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nDescription: x\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return (root directory, canary -> the path where it lies)."""
    root = tmp_path_factory.mktemp("canaries")
    canaries = {}
    for path, content in PLACES.items():
        names = [canary(len(canaries) + index + 1) for index in range(5)]
        used = [name for index, name in enumerate(names) if f"{{{index}}}" in content]
        canaries.update(dict.fromkeys(used, path))
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.format(*names))
    return root, canaries


def leaks(data, canaries):
    """Canaries found in the bytes, plain or in base64."""
    return {
        name: where
        for name, where in canaries.items()
        if name.encode() in data or base64.b64encode(name.encode()).rstrip(b"=")[:-1] in data
    }


def test_no_canary_of_a_mounted_root_comes_home(planted):
    root, canaries = planted
    assert len(canaries) >= 40
    options = {"file_attributes": {"paths": ["/etc/**", "/root/**"]}}
    data = collect({"tables": sorted(TABLES), "root": str(root), "options": options})
    snapshot = json.loads(data)
    read = [name for name, table in snapshot["tables"].items() if table["state"] in ("ok", "partial") and table["rows"]]
    assert {"cron", "sudoers", "sshd", "pam", "mounts", "users", "password_ages", "logging", "boot"} <= set(read)
    assert leaks(data, canaries) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="reads processes of others")
def test_no_canary_on_a_command_line_or_in_an_environment_comes_home():
    secrets = [canary(number) for number in range(80, 84)]
    script = "import time; time.sleep(30)"
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", script, "--password", secrets[0], f"--db=postgresql://u:{secrets[1]}@h/x",
         f"API_KEY={secrets[2]}"],
        env={"DB_PASSWORD": secrets[3]},
    )  # fmt: skip
    try:
        for _attempt in range(100):
            if script.encode() in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                break
            time.sleep(0.02)
        fast = sorted(name for name, module in TABLES.items() if module.TABLE.cadence == "fast")
        data = collect({"tables": fast})
    finally:
        process.kill()
        process.wait()
    assert leaks(data, dict.fromkeys(secrets, "process")) == {}
    assert "[redacted]" in data.decode()
