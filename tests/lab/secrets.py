"""Where real servers keep their secrets: files, and what runs with a secret on its command line or in its environment.

The marks ``@@`` (letters and digits), ``@!`` (with signs) and ``@#`` (hexadecimal digits) each become a secret of its own
(see canaries.py).
"""

from __future__ import annotations

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUA@@\n-----END OPENSSH PRIVATE KEY-----\n"

FILES = {
    # Hashes and keys
    "/etc/security/opasswd": (0o600, "deploy:1000:1:$6$salt$@#\n"),
    "/etc/ssh/ssh_host_backup_key": (0o600, KEY),
    "/root/.ssh/id_ed25519": (0o600, KEY),
    "/home/deploy/.ssh/id_rsa": (0o644, KEY),
    "/etc/ssl/private/site.key": (0o644, "-----BEGIN PRIVATE KEY-----\n@#@#\n-----END PRIVATE KEY-----\n"),
    "/root/.ssh/authorized_keys2": (0o600, 'environment="API_TOKEN=@@",command="deploy --token @@" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me\n'),
    "/boot/grub/grub.cfg": (0o600, "set superusers=root\npassword root @@\npassword_pbkdf2 root grub.pbkdf2.sha512.10000.@#.@#\n"
                            "menuentry 'x' {\n linux /vmlinuz root=/dev/sda1 luks.passphrase=@@ rd.iscsi.password=@@\n}\n"),
    "/etc/default/grub": (0o644, 'GRUB_CMDLINE_LINUX="audit=1 vpn_secret=@@"\nGRUB_CMDLINE_LINUX_DEFAULT="quiet netroot=iscsi:u:@@@10.0.0.1::3260:1:iqn"\n'),
    # Units, timers, cron
    "/etc/systemd/system/canary.service": (0o644, """[Unit]
Description=reports with --password @@
[Service]
Environment="DB_PASSWORD=@@" 'SMTP_PASS=@!'
Environment=API_TOKEN=@#
EnvironmentFile=/etc/default/canary
SetCredential=key:@@
PassEnvironment=X
ExecStartPre=/bin/sh -c 'echo @@ | cat >/dev/null'
ExecStart=/opt/bin/app --api-key @@ --db postgresql://app:@@@db/app -Dspring.datasource.password=@@ "--token=@!"
ExecStop=/opt/bin/app --password=@@
"""),
    "/etc/systemd/system/canary.service.d/x.conf": (0o644, "[Service]\nEnvironment=LATE_SECRET=@@\n"),
    "/etc/systemd/system/canary-dump.service": (0o644, "[Service]\nType=oneshot\nExecStart=/usr/bin/mysqldump -u root -p@@ shop\nExecStart=-/usr/bin/curl -u admin:@@ https://h/\n"
                                                "User=deploy\n"),
    "/etc/systemd/system/canary-dump.timer": (0o644, "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"),
    "/etc/systemd/system/mnt-share.mount": (0o644, "[Mount]\nWhat=//nas/x\nWhere=/mnt/share\nType=cifs\nOptions=username=b,password=@!,uid=0\n"),
    "/etc/default/canary": (0o644, "APP_SECRET=@@\n"),
    "/etc/cron.d/canary": (0o644, "DB_PASSWORD=@!\nRESTIC_PASSWORD='@@ @@'\n17 3 * * * root mysqldump -u root -p@@ shop >/b.sql\n"
                           "18 3 * * * root sshpass -p '@!' scp /a b: ; PGPASSWORD=@@ psql -c \"alter role x password '@@'\"\n"
                           "19 3 * * * root echo @@ | sudo -S true\n"
                           "20 3 * * * root curl -H 'Authorization: Bearer @#' -H \"X-Api-Key: @@\" https://u:@@@h/x?api_key=@@\n"
                           "21 3 * * * root smbclient //nas/x -U backup%@@ -c ls; openssl enc -k @@ -in /a; ldapsearch -x -w @@ -D cn=x\n"
                           "22 3 * * * root AWS_SECRET_ACCESS_KEY=@@ aws s3 ls; vault login @@; redis-cli -a @@ ping; net user bob @@\n"
                           "23 3 * * * root printf 'machine h login u password @@' >/root/.netrc; mosquitto_pub -u x -P @@ -t t\n"),
    "/etc/cron.daily/canary": (0o755, "#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY=@@\nrsync --password-file=<(echo @@) /a b:/\n"),
    "/var/spool/cron/crontabs/root": (0o600, "5 4 * * * /usr/bin/backup --passphrase @@ --pass=@! --secret-key=@@\n"),
    "/var/spool/cron/atjobs/a0000101c0ffee": (0o700, "#!/bin/sh\nDB_PASSWORD=@@; export DB_PASSWORD\nmysql -p@@\n"),
    # Accounts and log-in
    "/etc/sudoers.d/canary": (0o440, "bob ALL=(root) NOPASSWD: /usr/bin/mysql -u root -p@@, /usr/bin/curl -u admin\\:@@ https\\://h\n"
                              "Cmnd_Alias DUMP = /usr/bin/pg_dump postgresql\\://app\\:@@@db/x\nDefaults:bob env_file=/etc/env\n"),
    "/etc/ssh/sshd_config.d/60-canary.conf": (0o644, "SetEnv APP_TOKEN=@@\nMatch User nobody-here\n  ForceCommand /usr/bin/app --password @@\n"),
    "/etc/pam.d/canary": (0o644, "auth required pam_mysql.so user=root passwd=@@ db=x\nauth required pam_ldap.so bindpw=@@\naccount required pam_unix.so\n"
                          "auth optional pam_exec.so expose_authtok /usr/bin/check --token @@\n"),
    "/etc/security/pam_env.conf": (0o644, "API_KEY DEFAULT=@@\n"),
    "/etc/security/pwquality.conf": (0o644, "minlen = 14\n# old root password: @@\n"),
    "/etc/login.defs.d/x": (0o644, "SECRET @@\n"),
    "/etc/nslcd.conf": (0o640, "binddn cn=x\nbindpw @@\n"),
    "/etc/sssd/sssd.conf": (0o600, "[domain/x]\nldap_default_authtok = @@\n"),
    "/etc/environment": (0o644, "API_TOKEN=@@\n"),
    "/etc/profile.d/canary.sh": (0o644, "export TMOUT=900 NEXUS_PASS=@@\n"),
    "/etc/motd": (0o644, "Welcome. Console password: @@\n"),
    "/root/log-ins.txt": (0o600, "login guest @@\n"),  # not /etc/issue.net: sshd itself shows that to everybody
    # Packages and updates
    "/etc/apt/sources.list.d/canary.list": (0o644, "deb https://bot:@@@repo.invalid/debian stable main\ndeb https://@#@gems.invalid/x ./\n"),
    "/etc/apt/sources.list.d/canary.sources": (0o644, "Types: deb\nURIs: https://bot:@@@repo2.invalid/debian\nSuites: stable\nComponents: main\n"),
    "/etc/apt/auth.conf": (0o600, "machine repo.invalid login bot password @@\n"),
    "/etc/apt/apt.conf.d/99canary": (0o644, 'Acquire::http::Proxy "http://u:@@@proxy.invalid:3128";\nUnattended-Upgrade::Mail "x@y"; // pw @@\n'),
    "/etc/apt/apt.conf.d/98token": (0o644, 'Unattended-Upgrade::Origins-Pattern { "origin=https://u:@@@h"; };\n'),
    # Services
    "/etc/nginx/nginx.conf": (0o644, 'http {\n server {\n  listen 443 ssl;\n  ssl_certificate /etc/ssl/private/site.crt;\n  ssl_certificate_key "/etc/ssl/private/site.key";\n'
                              '  ssl_protocols TLSv1.2;\n  proxy_set_header Authorization "Basic @@";\n  set $api_key @@;\n }\n}\n'),
    "/etc/postfix/main.cf": (0o644, "smtp_sasl_password_maps = static:user:@@\nsmtpd_tls_cert_file=/etc/ssl/x.pem\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\n"),
    "/etc/haproxy/haproxy.cfg": (0o644, "global\n ssl-default-bind-options ssl-min-ver TLSv1.2\n stats auth admin:@@\nuserlist u\n user a insecure-password @@\n"
                                 "frontend f\n bind :443 ssl crt /etc/x.pem\n http-request set-header X-Key @@\n"),
    "/etc/dovecot/dovecot.conf": (0o644, "ssl = required\nssl_key_password = @@\nssl_min_protocol = TLSv1.2\n"),
    "/etc/apache2/apache2.conf": (0o644, "SSLProtocol all\nSSLPassPhraseDialog exec:/bin/echo @@\nSetEnv DB_PASS @@\n"),
    "/etc/rsyslog.conf": (0o644, "module(load=\"imuxsock\")\n$IncludeConfig /etc/rsyslog.d/*.conf\n"),
    "/etc/rsyslog.d/canary.conf": (0o644, '*.* action(type="ommysql" server="db" db="logs" uid="log" pwd="@@")\n*.* :ommysql:db,logs,user,@@\n'
                                   '*.* action(type="omelasticsearch" uid="e" pwd="@!")\n*.* ^/usr/bin/forward --token @@\n$ActionLibdbiPassword @@\n'),
    "/etc/systemd/journal-upload.conf": (0o644, "[Upload]\nURL=https://u:@@@logs.invalid\n"),
    "/etc/chrony/chrony.conf": (0o644, "server ntp.invalid key 1\nkeyfile /etc/chrony/chrony.keys\ncmdallow\n"),
    "/etc/chrony/chrony.keys": (0o640, "1 SHA1 HEX:@#\n"),
    "/etc/sysctl.d/99-canary.conf": (0o644, "kernel.core_pattern=|/usr/bin/crash --token=@@ %p\n"),
    "/etc/modprobe.d/canary.conf": (0o644, "install wifi /sbin/modprobe wifi psk=@@\noptions wifi key=@#\n"),
    "/etc/audit/auditd.conf": (0o640, "log_file = /var/log/audit/audit.log\nkrb5_key_file = /etc/audit/audit.key\nadmin_password = @@\n"),
    "/etc/audit/rules.d/canary.rules": (0o640, "-w /etc/passwd -p wa -k identity\n--password @@\npassword=@@\n"),
    "/etc/wireguard/wg0.conf": (0o600, "[Interface]\nPrivateKey = @@\n"),
    "/etc/ufw/user.rules": (0o640, "*filter\n-A ufw-user-input -m comment --comment 'vpn_password=@@' -j ACCEPT\nCOMMIT\n"),
    "/etc/nftables.conf": (0o755, "#!/usr/sbin/nft -f\ntable inet x {\n chain input { type filter hook input priority 0; policy accept;\n"
                           '  tcp dport 22 accept comment "token=@@"\n }\n}\n'),
    "/etc/docker/daemon.json": (0o644, '{"log-opts": {"splunk-token": "@@"}, "proxies": {"http-proxy": "http://u:@@@p:1"}}\n'),
    "/etc/crypttab": (0o600, "data /dev/sdb1 /etc/keys/data.key luks,password-echo=no\n"),
    "/etc/keys/data.key": (0o600, "@@"),
    # Homes and logs
    "/root/.my.cnf": (0o600, "[client]\npassword=@@\n"),
    "/root/.netrc": (0o600, "machine h login u password @@\n"),
    "/root/.pgpass": (0o600, "db:5432:x:app:@@\n"),
    "/root/.docker/config.json": (0o600, '{"auths": {"r": {"auth": "@@"}}}\n'),
    "/root/.aws/credentials": (0o600, "[default]\naws_secret_access_key = @@\n"),
    "/root/.bash_history": (0o600, "mysql -p@@\nexport TOKEN=@@\n"),
    "/home/deploy/.bash_history": (0o600, "sudo -S <<<@@\n"),
    "/home/deploy/.netrc": (0o666, "machine h password @@\n"),
    "/home/deploy/.rhosts": (0o644, "+ @@\n"),
    "/home/deploy/.forward": (0o666, "|/usr/bin/x --password @@\n"),
    "/var/lib/cloud/instance/user-data.txt": (0o600, "#cloud-config\npassword: @@\n"),
    "/run/cloud-init/instance-data.json": (0o644, '{"v1": {"instance_id": "i-1", "cloud_name": "aws"}, "ds": {"user-data": "@@"}}\n'),
    "/var/log/apt/history.log": (0o644, "Start-Date: 2026-01-01  10:00:00\nCommandline: apt-get -o Acquire::http::Proxy=http://u:@@@p install x\nEnd-Date: 2026-01-01  10:00:10\n"),
    "/opt/bin/app": (0o755, "#!/bin/sh\nread line <>/opt/bin/block\n"),
}  # fmt: skip

SCRIPT = r"""
printf '%s\n' 'legacy:$1$salt$@#:1777:1777::/home/legacy:/bin/sh' 'open:@@:1778:1778::/home/open:/bin/sh' >>/etc/passwd
printf '%s\n' 'legacy:$6$salt$@#:19000:0:99999:7:::' 'old:$y$j9T$@@$@#:19000:0:99999:7:::' >>/etc/shadow
printf '%s\n' 'vault:$6$salt$@#::' >>/etc/gshadow; printf '%s\n' 'vault:$1$salt$@#:1777:' >>/etc/group
printf '%s\n' '//nas/share /mnt/nas cifs username=b,password=@!,uid=0,noauto 0 0' >>/etc/fstab
printf '%s\n' 'https://dav:@@@cloud.invalid/x /mnt/dav davfs rw,noauto 0 0' >>/etc/fstab
mkfifo /opt/bin/block
for name in mysqldump curl sshpass restic java kinit vault psql python-app; do cp /opt/bin/app /opt/bin/$name; done
mkdir -p /mnt/live; mount -t tmpfs 'https://dav:@@@cloud.invalid/live' /mnt/live
nft add table inet canary; nft 'add chain inet canary input { type filter hook input priority 10 ; }'
nft 'add rule inet canary input tcp dport 9999 accept comment "vpn psk=@@"'
systemctl daemon-reload; systemctl start --no-block canary.service; systemctl enable --now canary-dump.timer
cd /; exec </dev/null >/dev/null 2>&1
setsid /opt/bin/mysqldump -u root -p@@ --all-databases &
setsid /opt/bin/curl --user 'admin:@!' -H 'Authorization: Basic @@' https://h/ &
setsid /opt/bin/curl -sSL --data '{"password": "@@", "user": "x"}' 'https://h/login?token=@@&x=1' &
setsid /opt/bin/sshpass -p '@!' ssh root@h &
setsid /opt/bin/java -Djavax.net.ssl.keyStorePassword=@@ -Dapi.token=@# -jar app.jar --spring.redis.password=@@ &
setsid /opt/bin/restic --password-command 'echo @@' -r s3:https://KEY:@@@h backup / &
setsid /opt/bin/vault login -method=userpass username=x password=@@ &
setsid /opt/bin/psql 'host=db user=app password=@@ dbname=x' &
setsid /opt/bin/psql -c "create user x with password '@@'" &
setsid /opt/bin/python-app --client_secret @@ --access-token '@!' --passwd=@@ SECRET_KEY=@@ &
DB_PASSWORD=@@ AWS_SESSION_TOKEN=@# setsid /opt/bin/app --config /etc/app.yml &
setsid python3 -c 'import socket,time; s=socket.create_server(("",8443)); time.sleep(9999)' --admin-password @@ mongodb://root:@@@db:27017/admin &
setsid sh -c 'export TOKEN=@@; read line <>/opt/bin/block' &
sleep 0.3
"""
