"""What the test image lacks of a server in use: package lists as apt leaves them after a month of updates."""

from __future__ import annotations

import os

LISTS = "var/lib/apt/lists"
NAME = "deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages"
STANZA = """Package: {name}
Source: {name}
Version: {version}
Installed-Size: 4096
Maintainer: Somebody <somebody@example.org>
Architecture: amd64
Depends: libc6 (>= 2.34), libssl3 (>= 3.0.0), zlib1g (>= 1:1.1.4), {name}-common (= {version})
Description: a package that the security archive of a release may hold
Homepage: https://example.org/{name}
Description-md5: d41d8cd98f00b204e9800998ecf8427e
Section: net
Priority: optional
Filename: pool/updates/main/{name}/{name}_{version}_amd64.deb
Size: 1048576
SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

"""
STANZAS = 4000
"""As many packages as the security archive of a release holds late in its life."""


class Furnish:
    """Puts the lists into each host; the file itself is one on disk."""

    def __init__(self, folder):
        self._lists = folder / NAME
        text = "".join(STANZA.format(name=f"made-up-{number}", version="1.0-1") for number in range(STANZAS))
        self._lists.write_text(text + STANZA.format(name="openssl", version="3.9.9-1"))

    def __call__(self, _name, upper):
        """Prepare one host."""
        (upper / LISTS / "partial").mkdir(parents=True)
        os.link(self._lists, upper / LISTS / NAME)
