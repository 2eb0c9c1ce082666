"""The listener's certificate for STARTTLS, read anew whenever its files are renewed."""

import logging
import os
import ssl
from pathlib import Path

logger = logging.getLogger(__name__)

_State = tuple[tuple[int, int, int], ...]


class BadCertificate(Exception):
    """The certificate or its key cannot be used; the words say which file and why."""


class Certificate:
    """A chain of certificates and its key in PEM; `key` may be in the same file. Raises BadCertificate."""

    def __init__(self, chain: str, key: str = "") -> None:
        self._chain = Path(chain)
        self._key = Path(key or chain)
        self._state = self._look()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """What the next handshake uses. Renewed files that cannot be used are logged once and the old ones stay."""
        try:
            state = self._look()
            if state != self._state:
                self._state = state
                self._context = self._load()
                logger.info("the renewed certificate %s is in use", self._chain)
        except BadCertificate as error:
            if self._state:
                logger.error("the certificate read before stays in use: %s", error)
            self._state = ()
        return self._context

    def _look(self) -> _State:
        found = []
        for path, name in ((self._chain, "certificate"), (self._key, "key")):
            try:
                status = os.stat(path)
            except OSError as error:
                raise BadCertificate(f"the {name} {path} cannot be read: {error.strerror}") from error
            found.append((status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(found)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # With no password given, OpenSSL would ask the terminal for that of an encrypted key.
            context.load_cert_chain(self._chain, self._key, password="")
        except ssl.SSLError as error:
            why = error.reason or str(error)
            raise BadCertificate(
                f"{self._chain} and {self._key} are no PEM certificate and its unencrypted key: {why}"
            ) from error
        except (OSError, ValueError) as error:
            raise BadCertificate(f"{self._chain} or {self._key} cannot be read: {error}") from error
        return context
