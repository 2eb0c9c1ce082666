"""Which TCP port to listen on, and who is in the way."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from helpdesk.embedded.processes import LINUX, EmbeddedServerError

LOOPBACK: Final = "127.0.0.1"
_TRIES: Final = 50


def choose_port(variable: str, default: int, *, taken: set[int], say: Callable[[str], None]) -> int:
    """The port the environment variable names, else the default or the next free one above it, said when it is not it.

    Raises EmbeddedServerError when the named port is no port, not ours to take, or in use: who asked for it must know.
    """
    named = os.environ.get(variable, "")
    wanted = _as_port(variable, named) if named else default
    for port in range(wanted, min(wanted + _TRIES, 65536)):
        if port not in taken and _is_free(port):
            if port != wanted:
                say(f"Port {wanted} is in use{_by(wanted)}, using {port}")
            return port
        if named:
            raise EmbeddedServerError(
                f"Port {wanted} is in use{_by(wanted)}. Stop that, or choose another port: {variable}={wanted + 1}"
            )
    raise EmbeddedServerError(f"Ports {wanted} to {wanted + _TRIES - 1} are all in use. Choose another: {variable}=…")


def _as_port(variable: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65536):
        raise EmbeddedServerError(f"{variable}={text} is not a port: give a number from 1 to 65535.")
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket() as visitor:
        visitor.settimeout(1)
        if visitor.connect_ex((LOOPBACK, port)) == 0:
            return False
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except PermissionError:
            raise EmbeddedServerError(f"Port {port} may only be opened by root. Choose one above 1023.") from None
        except OSError:
            return False
    return True


def _by(port: int) -> str:
    holder = _holder_on_linux(port) if LINUX else _holder_by_lsof(port)
    return f" (by {holder})" if holder else ""


def _holder_on_linux(port: int) -> str:
    """proc(5): the listening socket's inode from /proc/net/tcp, then the process that has it open (if ours to see)."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (Path("/proc/net") / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if int(fields[1].rsplit(":", 1)[1], 16) == port and fields[3] == "0A":
                inodes.add(f"socket:[{fields[9]}]")
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            opened = {os.readlink(entry.path) for entry in os.scandir(f"/proc/{name}/fd")}
            if opened & inodes:
                return f"{Path('/proc', name, 'comm').read_text().strip()}, process {name}"
        except OSError:
            continue
    return ""


def _holder_by_lsof(port: int) -> str:
    command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""
    fields = {line[0]: line[1:] for line in answer.splitlines() if line}
    return f"{fields['c']}, process {fields['p']}" if {"c", "p"} <= fields.keys() else ""
