"""The cron of Red Hat, Arch and openSUSE, built from source: Debian 12 has no package of it.

The source comes from a later Debian suite on the very mirror that this machine's apt uses,
through apt with lists of its own, so signatures and checksums are seen to and the machine's stay.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from scripts.environment import SetupError, apt, quietly

if TYPE_CHECKING:
    from pathlib import Path

SUITE = "trixie"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
OPTIONS = (
    "--prefix=/usr",
    "--sysconfdir=/etc",
    "--localstatedir=/var",
    "--without-pam",
    "--without-selinux",
    "--without-audit",
    "--enable-anacron",
    "SPOOL_DIR=/var/spool/cron/crontabs",
)


def build(folder: Path) -> None:
    """Put ``crond`` and ``crontab`` into *folder*, whole or not at all. Raises SetupError."""
    draft = folder.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    download(draft)
    source = draft / "source"
    source.mkdir()
    (archive,) = draft.glob("cronie_*.orig.tar.*")
    quietly("tar", "--strip-components=1", "--directory=source", "-xf", archive.name, folder=draft)
    quietly("./configure", *OPTIONS, folder=source)
    quietly("make", "-j2", folder=source)
    programs = draft / "programs"
    programs.mkdir()
    for name in ("crond", "crontab"):
        shutil.copy(source / "src" / name, programs)
    programs.rename(folder)
    shutil.rmtree(draft)


def download(draft: Path) -> None:
    """Let apt fetch the source package into *draft* and check it."""
    for name in ("lists/partial", "cache/archives/partial"):
        (draft / name).mkdir(parents=True)
    (draft / "sources.list").write_text(f"deb-src [signed-by={KEYS}] {mirror()} {SUITE} main\n")
    options = {
        "Dir::Etc::sourcelist": f"{draft}/sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": f"{draft}/lists",
        "Dir::Cache": f"{draft}/cache",
        "APT::Sandbox::User": "root",
        "APT::Get::AllowUnauthenticated": "false",
    }
    private = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    apt("update", *private)
    apt("source", "--download-only", "--only-source", *private, "cronie", folder=draft)


def mirror() -> str:
    """Return where this machine's apt has Debian's main archive from."""
    ask = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL)", "Component: main")
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        uri, _, label = line.partition(" ")
        if label == "Debian":
            return uri
    raise SetupError("apt has no mirror of Debian configured, so cronie's source cannot be had")
