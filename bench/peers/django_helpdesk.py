"""django-helpdesk 2.6 in an environment of its own under $DATA_DIR/peers, driven through django_helpdesk_site.py."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bench import ground
from bench.rounds import Sample
from bench.sizes import Sizes

PACKAGES = ("django-helpdesk==2.6.*", "Django>=5.2,<5.3", "psycopg2-binary")
SITE = Path(__file__).with_name("django_helpdesk_site.py")
INSTALLING_SECONDS = 600


class Peer:
    """The installed peer, on a database of its own."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._folder = ground.data_dir() / "peers" / "mails"

    def file_mail(self, mails: Sequence[bytes]) -> Sample:
        """Mails a second of its `get_email`, from a local directory."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for number, raw in enumerate(mails):
            # It reads them as text, so line ends are the platform's.
            (self._folder / f"{number:06}.eml").write_bytes(raw.replace(b"\r\n", b"\n"))
        answer = self._ask("file", str(self._folder))
        left = len(list(self._folder.iterdir()))
        assert not left, f"django-helpdesk left {left} of {len(mails)} mails"
        return Sample(len(mails) / answer["seconds"], len(mails), cpu_ms=answer["cpu"] * 1000 / len(mails))

    def fill(self, tickets: int, messages: int) -> None:
        """Rows by SQL, like ours."""
        ground.empty_for_peer()
        self._ask("prepare")
        self._ask("fill", str(tickets), str(messages))

    def request(self, page: str, requests: int) -> Sample:
        """Milliseconds of its `list` (page and rows) or `detail`."""
        answer = self._ask("request", page, str(requests))
        return Sample(answer["p50"], requests, p95=answer["p95"], cpu_ms=answer["cpu"] * 1000 / requests)

    def prepare(self) -> "Peer":
        ground.empty_for_peer()
        self._ask("prepare")
        return self

    def _ask(self, *command: str) -> dict[str, Any]:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [str(self._python), str(SITE), ground.url(ground.PEER), *command],
            cwd=self._python.parent,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"django-helpdesk {command[0]}: {done.stderr[-2000:]}")
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer


def installed(sizes: Sizes) -> Peer | None:
    """The peer on an empty, migrated database; None where it is not wanted or cannot be had, which is said."""
    if not sizes.peers:
        return None
    python = _python()
    return Peer(python).prepare() if python else None


@cache
def _python() -> Path | None:
    folder = ground.data_dir() / "peers" / "django-helpdesk"
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
        if subprocess.run([str(python), "-c", "import helpdesk, psycopg2"], cwd=folder, capture_output=True).returncode:
            subprocess.run(pip, check=True, capture_output=True, text=True, timeout=INSTALLING_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        words = getattr(error, "stderr", None) or str(error)
        print(f"  django-helpdesk cannot be installed, its columns stay empty: {str(words).strip().splitlines()[-1]}")
        return None
    return python
