"""Where the servers' sockets live: in the data folder, or, where that path is too long, in a short private one."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from helpdesk.embedded.accounts import Account, prepared_folder
from helpdesk.embedded.processes import EmbeddedServerError

# sockaddr_un.sun_path is 104 bytes on macOS and 108 on Linux, its closing zero included.
_LONGEST_SOCKET_PATH: Final = 103
_LONGEST_SOCKET_NAME: Final = "/.s.PGSQL.5432"


def socket_folder(data_dir: Path, account: Account) -> Path:
    """The folder of the sockets, mode 0700 and owned by the account; the same one for the same data folder.

    Raises EmbeddedServerError when the short folder exists but is somebody else's.
    """
    folder = data_dir / "sockets"
    if _fits(folder):
        return prepared_folder(folder, account)
    key = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    name = f"helpdesk-{key}"
    folder = Path(tempfile.gettempdir()) / name
    if not _fits(folder):
        folder = Path("/tmp") / name
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        # In a folder everybody may write to: a link or a stranger's folder would hand them the database.
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (account.uid, os.geteuid()):
            raise EmbeddedServerError(f"{folder} is somebody else's; remove it or use another DATA_DIR.") from None
    folder.chmod(0o700)
    return prepared_folder(folder, account)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) + len(_LONGEST_SOCKET_NAME) <= _LONGEST_SOCKET_PATH
