"""The account the servers run as. PostgreSQL refuses to be root, so for root an unprivileged account is lent to it."""

import ctypes
import os
import pwd
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from helpdesk.embedded.processes import LINUX, EmbeddedServerError

# capability.h and prctl(2)
_CAP_DAC_OVERRIDE: Final = 1
_CAP_DAC_READ_SEARCH: Final = 2
_CAPABILITY_VERSION_3: Final = 0x20080522
_PR_SET_SECUREBITS: Final = 28
_NO_SETUID_FIXUP: Final = 1 << 2
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the servers run as; `other` says that this is not the user we are."""

    uid: int
    gid: int
    other: bool


def account_for(data_dir: Path) -> Account:
    """The account that owns, or shall own, the servers' files under `data_dir`.

    An ordinary user is themself. Root takes the owner of an existing cluster, else `postgres`, else `nobody`.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        return Account(uid, gid, other=False)
    try:
        owner = (data_dir / "postgres").stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid, other=True)
    except FileNotFoundError:
        pass
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, other=True)
    raise EmbeddedServerError("PostgreSQL cannot run as root and there is no account postgres or nobody to lend it.")


def prepared_folder(path: Path, account: Account, mode: int = 0o700) -> Path:
    """The folder, created when missing and given to the account."""
    path.mkdir(mode=mode, exist_ok=True)
    if account.other and path.stat().st_uid != account.uid:
        os.chown(path, account.uid, account.gid)
    return path


def becoming(account: Account, needed: Iterable[Path]) -> Callable[[], None]:
    """What a child runs before exec to become the account.

    Where a folder above one of the `needed` paths is closed to that account (a clone under /root, a private temporary
    folder), the child keeps one capability: to pass through folders. Nobody's permissions are changed for it.
    """
    if not account.other:
        return _private_files
    closed = _closed_folder(account, needed)
    capability = _passing_capability(closed) if closed else None

    def become() -> None:
        _private_files()
        os.setgroups([])
        os.setgid(account.gid)
        if capability is not None:
            # setuid(2) would take the capability away, and access(2), which initdb asks, would not look at it.
            _libc.prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP, 0, 0, 0)
        os.setuid(account.uid)
        if capability is not None:
            _keep(capability)

    return become


def _private_files() -> None:
    os.umask(0o077)


def _closed_folder(account: Account, needed: Iterable[Path]) -> Path | None:
    for path in needed:
        for folder in path.resolve().parents:
            status = folder.stat()
            if status.st_uid == account.uid:
                passing = stat.S_IXUSR
            else:
                passing = stat.S_IXGRP if status.st_gid == account.gid else stat.S_IXOTH
            if not status.st_mode & passing:
                return folder
    return None


def _passing_capability(closed: Path) -> int:
    held = _held_capabilities()
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if held >> capability & 1:
            return capability
    raise EmbeddedServerError(
        f"PostgreSQL cannot run as root, and the account lent to it may not pass through {closed}. Move the project "
        "or DATA_DIR to a place everybody may pass through, run as an ordinary user, or give DATABASE_URL."
    )


def _held_capabilities() -> int:
    if not LINUX:
        return 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def _keep(capability: int) -> None:
    """capset(2) with one capability permitted, effective and inheritable, then raised as ambient to survive exec."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if _libc.capset(header, data) or _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot keep the capability to pass through folders")
