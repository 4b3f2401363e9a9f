"""Secrets that must go, lines that must stay, and how long it takes. All secrets are invented."""

from __future__ import annotations

import time

import pytest
from ansible_collections.ringwall.servers.plugins.module_utils.redact import MARK, MAX_TEXT, redact
from hypothesis import given
from hypothesis import strategies as st

S = "Tr0ub4dor&3"[:9] + "x"  # Tr0ub4dorx: no shape of its own, so only its surroundings betray it
B64 = "q1W3e5R7t9Y2u4I6o8P0a1S3d5F7g9H2j4K6l8Z0x1C="
HEX = "9f86d081884c7d659a2feaa0c55ad015"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

SECRETS = [
    ("mysql -u root -p{} shop", S),
    ("mysqldump --single-transaction -p'{}' shop", S + " y"),
    ("/usr/bin/mariadb-dump -h db -ubackup -p{} --all-databases", S),
    ("mysqladmin --password={} ping", S),
    ("mysqladmin --password {} ping", S),
    ("PGPASSWORD={} psql -h db shop", S),
    ("MYSQL_PWD={} mysql shop", S),
    ("sshpass -p {} ssh admin@host", S),
    ("sshpass -p{} scp x host:", S),
    ("redis-cli -h cache -a {} ping", S),
    ("redis-server *:6379 --requirepass {}", S),
    ("requirepass {}", S),
    ("ldapsearch -x -D cn=admin,dc=x -w {} -b dc=x", S),
    ("smbclient //nas/share -U backup%{}", S),
    ("mount -t cifs //nas/x /mnt -o username=bak,password={},uid=0", S),
    ("mount -t cifs //nas/x /mnt -o username=bak,pass={}", S),
    ("curl -u admin:{} https://host/api", S),
    ("curl -sSu admin:{} https://host/api", S),
    ("curl --user 'admin:{}' https://host/api", S),
    ("curl -H 'Authorization: Bearer {}' https://host", S),
    ("curl -H \"X-Api-Key: {}\" https://host", S),
    ("curl -H 'Cookie: sid={}; theme=dark' https://host", S),
    ("wget --http-password={} https://host/x", S),
    ("wget --user=me --password={} https://host/x", S),
    ("git clone https://me:{}@git.example.org/x.git", S),
    ("git clone https://x-access-token:ghs_{}@github.com/a/b", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4"),
    ("git clone https://{}@github.com/a/b", "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"),
    ("DATABASE_URL=postgresql://shop:{}@db:5432/shop", S),
    ("mongodb+srv://app:{}@cluster.example.org/x", "p@" + S),
    ("amqp://guest:{}@mq:5672//", S),
    ("deb [arch=amd64] https://bearer:{}@repo.example.org/debian stable main", S),
    ("openssl enc -aes-256-cbc -in a -out b -k {}", S),
    ("openssl rsa -in k.pem -passin pass:{} -out o.pem", S),
    ("zip -P {} -r out.zip data", S),
    ("7z a -p{} out.7z data", S),
    ("gpg --batch --passphrase {} -c file", S),
    ("docker login -u ci -p {} registry.example.org", S),
    ("docker run -e POSTGRES_PASSWORD={} postgres", S),
    ("docker run --env API_TOKEN={} app", S),
    ("kubectl create secret generic db --from-literal=password={}", S),
    ("echo '{}' | docker login --username ci --password-stdin", S),
    ("echo {} | sudo -S systemctl restart x", S),
    ("echo 'root:{}' | chpasswd", S),
    ("echo {} | passwd --stdin root", S),
    ("kinit admin <<< {}", S),
    ("ipmitool -I lanplus -H bmc -U ADMIN -P {} chassis status", S),
    ("snmpwalk -v2c -c {} switch .1", S),
    ("snmpget -v3 -u mon -A {} -l authNoPriv switch .1", S),
    ("htpasswd -b /etc/nginx/htpasswd admin {}", S),
    ("htpasswd -cb /etc/nginx/htpasswd admin {}", S),
    ("lftp -u backup,{} sftp://host", S),
    ("rabbitmqctl add_user app {}", S),
    ("plink -ssh -pw {} admin@host", S),
    ("java -Djavax.net.ssl.keyStorePassword={} -jar app.jar", S),
    ("java -jar app.jar --spring.datasource.password={}", S),
    ("Environment=\"DB_PASSWORD={}\"", S + " with blanks"),
    ("Environment=SMTP_PASS={} HOME=/srv", S),
    ("export AWS_SECRET_ACCESS_KEY={}", B64),
    ("aws configure set aws_access_key_id {}", "AKIAIOSFODNN7EXAMPLE"),
    ("--apiKey {} --verbose", S),
    ("--client-secret={}", S),
    ("{{\"user\": \"x\", \"password\": \"{}\"}}", S),
    ("{{'api_key': '{}'}}", S),
    ("password: {}", S),
    ("Server=db;User Id=sa;Password={};Encrypt=true", S),
    ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core", B64),
    ("Endpoint=sb://x/;SharedAccessKeyName=k;SharedAccessKey={}", B64),
    ("https://x.blob.core.windows.net/c/b?sv=2020&se=2030&sig={}&sp=r", "Zm9vYmFy%2BYmF6cXV4"),
    ("https://hooks.slack.com/services/{}", "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"),
    ("https://discord.com/api/webhooks/{}", "123456789012345678/abcDEF123-_"),
    ("https://api.telegram.org/bot{}/sendMessage", "123456789:AAabcdefGHIJKLmnopqrSTUVwxyz0123456"),
    ("vault login hvs.{}", "CAESIJ1b2C3d4E5f6G7h8I9j0K1"),
    ("token {}", JWT),
    ("app {}", JWT),
    ("npm config set //registry.npmjs.org/:_authToken npm_{}", "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"),
    ("stripe listen sk_live_{}", "4eC39HqLyjWDarjtT1zdp7dc"),
    ("glpat-{} in a line", "Ab3dEf6hIj9lMn2pQr5t"),
    ("xoxb-{}", "123456789012-abcdefABCDEF"),
    ("useradd -p '{}' bob", "$6$rounds=5000$salt$Qk1wBZ0m1xk9L2Z7v"),
    ("bob:{}:19000:0:99999:7:::", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"),
    ("PrivateKey = {}", B64),
    ("wpa-psk {}", S),
    ("psk=\"{}\"", S),
    ("bindpw {}", S),
    ("rclone sync a b --sftp-pass {}", S),
    ("RESTIC_PASSWORD={} restic backup /", S),
    ("restic --password-command 'echo {}' backup /", S),
    ("BORG_PASSPHRASE='{}' borg create ::x /", S + " two words"),
    ("ansible-playbook x.yml -e ansible_become_password={}", S),
    ("xfreerdp /u:admin /p:{} /v:host", S),
    ("CREATE USER 'a'@'%' IDENTIFIED BY '{}'", S),
    ("psql -c \"ALTER ROLE x WITH PASSWORD '{}'\"", S),
    ("app --session-key {}", HEX),
    ("app {}", B64),
    ("app --id={}", "xK9fQ2mZ7pL4vR8tB3nW6yH1cD5gJ0aS"),
    ("DB_PASSWORD_PROD={}", S),
    ("sqlcmd -S host -U sa -P {} -Q 'select 1'", S),
    ("x --otp 123456 --pin={}", "482913"),
    ("password=abc\"{}\"def", S),
    ("PASSWORD={},x", S + ",tail"),
]  # fmt: skip

INNOCENT = [
    "BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-cloud-amd64 root=UUID=8f3c1a2b-1c2d-4e5f-8a9b-0c1d2e3f4a5b ro quiet audit=1",
    "/usr/sbin/sshd -D -o PasswordAuthentication=no -o AuthorizedKeysFile=.ssh/authorized_keys",
    "PasswordAuthentication yes",
    "PermitRootLogin without-password",
    "/usr/bin/passwd -l root",
    "/bin/systemd-ask-password --watch",
    "/usr/bin/systemd-tty-ask-password-agent --wall",
    "docker login --username ci --password-stdin registry.example.org",
    "postgres -c password_encryption=scram-sha-256",
    "app --password-file=/run/secrets/db --verbose",
    "app --password-file /etc/app/password",
    "POSTGRES_PASSWORD_FILE=/run/secrets/pg",
    "SSH_AUTH_SOCK=/run/user/1000/keyring/ssh",
    "mysql --defaults-file=/etc/mysql/debian.cnf -p shop",
    "mysql -u root -P 3306 shop",
    "docker run -p 8080:80 --name web nginx:1.25",
    "ssh -p 2222 admin@host.example.org uptime",
    "mkdir -p /srv/data/a/b",
    "cp -a /srv/a /srv/b",
    "sudo -u postgres psql -c 'select 1'",
    "ps -u root -o pid",
    "id -u nobody",
    "tar -cpzf /backup/etc.tar.gz /etc",
    "rsync -aP --delete /srv/ backup@host:/srv/",
    "-a always,exit -F path=/usr/bin/passwd -F perm=x -F key=privileged",
    "-w /etc/passwd -p wa -k identity",
    "password requisite pam_pwquality.so retry=3 minlen=14",
    "auth required pam_unix.so nullok",
    "session optional pam_keyinit.so force revoke",
    "containerd-shim-runc-v2 -namespace moby -address /run/containerd/containerd.sock",
    "kubelet --config=/var/lib/kubelet/config.yaml --token-ttl=24h",
    "kube-apiserver --tls-private-key-file=/etc/kubernetes/pki/apiserver.key --service-account-issuer=https://kubernetes",
    "cryptsetup luksOpen /dev/sda3 luks-8f3c1a2b-1c2d-4e5f-8a9b-0c1d2e3f4a5b",
    "/lib/systemd/systemd-networkd-wait-online --interface=enp0s31f6 --timeout=30",
    "dpkg -i linux-image-6.1.0-18-cloud-amd64-unsigned.deb",
    "python3 -m venv /opt/app/venv",
    "git clone https://github.com/ansible/ansible.git",
    "git clone ssh://git@github.com/ansible/ansible.git",
    "git checkout feature/add-password-reset-page-for-users",
    "nginx: worker process",
    "deb [signed-by=/usr/share/keyrings/docker.gpg] https://download.docker.com/linux/debian stable main",
    "http://deb.debian.org/debian bookworm main",
    "postgres: 15/main: checkpointer",
    "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/main.conf",
    "image=nginx@sha256:4c0fdaa8b6341bfdeca5f18f7837462c80cff90527ee35ef185571e1c327beac",
    "run-parts --report /etc/cron.daily",
    "test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )",
    "find / -xdev -perm -4000 -type f",
    "find /var/log -name '*.gz' -mtime +30 -delete",
    "certbot -q renew --no-random-sleep-on-renew",
    "openssl x509 -in /etc/ssl/certs/x.pem -noout -enddate",
    "openssl rsa -in k.pem -passin file:/root/pass -out o.pem",
    "PGPASSWORD=$DB_PASSWORD psql -h db",
    "mysql -u root -p\"$MYSQL_ROOT_PASSWORD\" shop",
    "curl -u \"$USER:$TOKEN\" https://host",
    "curl -fsSL https://example.org/install.sh",
    "echo done | logger -t backup",
    "journalctl -u ssh.service --since yesterday",
    "chrony server 0.debian.pool.ntp.org iburst maxsources 4",
    "net.ipv4.conf.all.accept_redirects = 0",
    "iptables -A INPUT -p tcp --dport 22 -j ACCEPT",
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "zip -r /backup/site.zip /var/www",
    "awk -F: '($3==0){print $1}' /etc/passwd",
    "grep -i password /etc/ssh/sshd_config",
    "max_tokens=4096 tokenizer=fast",
    "systemctl restart systemd-cryptsetup@luks.service",
    "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only",
    "/usr/sbin/ModemManager --filter-policy=strict",
    "bypass=1 compass=north author=jane",
    "XAUTHORITY=/root/.Xauthority DISPLAY=:0",
    "Defaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"",
    "Defaults passwd_tries=3, timestamp_timeout=15",
    "%sudo ALL=(ALL:ALL) NOPASSWD: /usr/bin/apt-get update",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
    "session.gc_maxlifetime=1440",
    "ssl_session_cache shared:SSL:10m",
    "machine-0123456789.eu-central-1.compute.internal",
]  # fmt: skip


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_secrets_go(line, secret):
    result = redact(line.format(secret))
    assert secret not in result
    assert MARK in result
    for piece in secret.split():
        assert len(piece) < 5 or piece not in result


@pytest.mark.parametrize("line", INNOCENT)
def test_innocent_lines_stay(line):
    assert redact(line) == line


def test_there_are_enough_of_both():
    assert len(SECRETS) >= 60
    assert len(INNOCENT) >= 60


def test_what_stands_around_a_secret_stays():
    assert redact(f"mysql -u root -p{S} shop") == "mysql -u root -p[redacted] shop"
    assert redact(f"curl -u admin:{S} https://h/x") == "curl -u admin:[redacted] https://h/x"
    assert redact(f"PGPASSWORD='{S} z' psql -h db shop") == "PGPASSWORD='[redacted]' psql -h db shop"
    assert redact(f"x postgresql://shop:{S}@db/x y") == "x postgresql://shop:[redacted]@db/x y"


def test_the_escapes_of_text_do_not_open_a_hole():
    assert "ret" not in redact("DB_PASS=S3c\\x5c ret ls").replace("redacted", "")
    assert "tail" not in redact('password="a\\x5c"tail" x')


@pytest.mark.parametrize(
    "line",
    ["-" * 60000, "a" * 60000, "password" * 8000, "a.b-c_" * 10000, "mysql " + "-x " * 20000, "x=" * 30000, '"' * 60000,
     "echo " + "| " * 30000, "https://" * 8000, "curl -u " * 8000, "a:" * 30000, "-----BEGIN PRIVATE KEY-----" * 2000,
     "aA1+" * 15000, "authorization: " * 4000, "$1$" * 20000, "ldapmodify " * 6000, "htpasswd -b " * 5000,
     "net user " * 6000],
)  # fmt: skip
def test_no_line_takes_long(line):
    begin = time.process_time()
    redact(line)
    assert time.process_time() - begin < 1.0


def test_texts_are_bounded():
    assert len(redact("ab " * MAX_TEXT)) <= MAX_TEXT + 10


@given(st.text(max_size=300))
def test_any_text_comes_back_as_text(value):
    once = redact(value)
    assert isinstance(once, str)
    assert redact(once) == redact(redact(once))


@given(st.text(alphabet="abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789!#%+", min_size=6, max_size=30))
def test_any_password_after_a_plain_option_goes(secret):
    result = redact(f"app --db-password={secret}Q7 --port 1")
    assert secret + "Q7" not in result
    assert result.endswith(" --port 1")
