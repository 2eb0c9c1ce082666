"""`manage.py up`: one terminal that runs the whole helpdesk, and stops all of it.

Runs before and without Django, whose import would cost every start a second that the children then pay again.
"""

import os
import re
import resource
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final

from helpdesk.embedded.children import Child, end_forgotten_children, remember_children
from helpdesk.embedded.environment import (
    SUPERVISOR_LOCK,
    forget_environment,
    secret_key,
    stay_as_user,
    write_environment,
)
from helpdesk.embedded.launch import prepared_data_dir
from helpdesk.embedded.ports import LOOPBACK, choose_port
from helpdesk.embedded.postgres import postgres_is_running, start_postgres, stop_postgres
from helpdesk.embedded.preparation import Preparation
from helpdesk.embedded.processes import EmbeddedServerError, follow_parent, take_lock
from helpdesk.embedded.setup_token import nobody_is_there, setup_token
from helpdesk.embedded.terminal import Terminal
from helpdesk.embedded.valkey import start_valkey, stop_valkey, valkey_is_running

PROJECT: Final = Path(__file__).resolve().parent.parent
_LOCK_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 6.0
_OPEN_FILES: Final = 65536
_WAY_FOR_WEB_AND_MAIL: Final = 4.0
_PATIENCE: Final = 20.0
_LOOK_EVERY: Final = 0.5
# Bytes of a socket's frame that are read at all; what may be in one is the sockets' own, smaller limit.
_LARGEST_FRAME: Final = "65536"
_LOOK_EVERY_AT_START: Final = 0.1
# How web and mail answer once they are ready: the port's variable, what to say, what to hear.
_FIRST_WORDS: Final = {
    "web": ("PORT", b"GET /healthz/live HTTP/1.0\r\nHost: localhost\r\n\r\n", rb"HTTP/1\.[01] 200"),
    "mail": ("SMTP_PORT", b"", rb"220"),
}


class Supervisor:
    """Holds the data folder, its servers and its children from start to stop."""

    def __init__(self, data_dir: Path, terminal: Terminal) -> None:
        self.data_dir = data_dir
        self.terminal = terminal
        self.environment = dict(os.environ)
        self.own_postgres = "DATABASE_URL" not in os.environ
        self.own_valkey = "REDIS_URL" not in os.environ
        self.demo = False
        self.children: list[Child] = []
        self.stop_asked = 0
        self._answered: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._next_look = 0.0
        self._next_question = 0.0
        self._servers_retry_at = 0.0

    def run(self) -> int:
        """From start to stop; the exit code."""
        self._listen_to_signals()
        try:
            self._choose_ports()
            self._start_servers()
            self._describe_environment()
            if self._prepare_database():
                self._start_children()
                self._run_until_stopped()
        finally:
            self._stop()
        return 0 if self.stop_asked else 1

    def _listen_to_signals(self) -> None:
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._wakeup = (reader, writer)
        self._selector.register(reader, selectors.EVENT_READ, None)

        def on_signal(number: int, _frame: FrameType | None) -> None:
            self.stop_asked += 1

        signal.signal(signal.SIGINT, on_signal)
        signal.signal(signal.SIGTERM, on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: it shall outlive its terminal
            signal.signal(signal.SIGHUP, on_signal)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # wakes the loop when a child ends

    def _choose_ports(self) -> None:
        web = choose_port("PORT", 8000, taken=set(), say=self.terminal.say)
        mail = choose_port("SMTP_PORT", 2525, taken={web}, say=self.terminal.say)
        self.environment |= {"PORT": str(web), "SMTP_PORT": str(mail)}
        self.environment.setdefault("PUBLIC_URL", f"http://{LOOPBACK}:{web}")

    def _start_servers(self) -> None:
        stay_as_user(self.data_dir)
        if self.own_valkey:
            self.environment["REDIS_URL"] = start_valkey(self.data_dir).url
        if self.own_postgres:
            self.environment["DATABASE_URL"] = start_postgres(self.data_dir).url

    def _describe_environment(self) -> None:
        # The demo is for a database of our own, or where it is asked for: never in somebody's data by accident.
        wanted = os.environ.get("HELPDESK_DEMO", "1" if self.own_postgres else "0")
        self.demo = wanted.lower() in ("1", "true", "yes", "on", "y", "ok")
        self.environment |= {
            "DATA_DIR": str(self.data_dir),
            "HELPDESK_DEMO": "1" if self.demo else "0",
            "SECRET_KEY": os.environ.get("SECRET_KEY") or secret_key(self.data_dir),
            "PYTHONUNBUFFERED": "1",
        }
        names = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "PORT", "SMTP_PORT", "HELPDESK_DEMO")
        write_environment(self.data_dir, {name: self.environment[name] for name in names})

    def _prepare_database(self) -> bool:
        preparation = Preparation(
            self.data_dir / "prepared.json", PROJECT, self.environment["DATABASE_URL"], demo=self.demo
        )
        if not preparation.needed():
            return True
        self.terminal.say("Preparing the database")
        child = self._child("prepare", "manage.py", "prepare_database")
        self._start(child)
        while not self.stop_asked:
            self._wait(_LOOK_EVERY)
            ending = child.ended(self.terminal)
            if ending == "ended with exit code 0":
                self.children.remove(child)
                preparation.done()
                return True
            if ending:
                self.terminal.say(f"The database could not be prepared: prepare {ending}")
                return False
        return False

    def _child(self, name: str, *arguments: str) -> Child:
        child = Child(name, [sys.executable, *arguments], self.environment, PROJECT)
        self.children.append(child)
        return child

    def _start_children(self) -> None:
        # Root on its own machine is a supported way to run this; celery's advice is for shared ones.
        celery = ("-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "helpdesk.celery")
        port = self.environment["PORT"]
        # WhiteNoise reads its files synchronously; Django says so once, and it is no news.
        quiet = ("-W", "ignore:StreamingHttpResponse must consume")
        web = ("--host", LOOPBACK, "--port", port, "--log-level", "warning", "--no-access-log", "--lifespan", "off")
        # Whose word counts for who asks is said once, by BEHIND_PROXY.
        sockets = ("--ws-max-size", _LARGEST_FRAME, "--ws-per-message-deflate", "false", "--no-proxy-headers")
        ending = ("--timeout-graceful-shutdown", "3")
        self._child("web", *quiet, "-m", "uvicorn", "helpdesk.asgi:application", *web, *sockets, *ending)
        self._child("mail", "manage.py", "receive_mail_smtp")
        worker = ("--pool", "prefork", "--concurrency", "2", "--without-gossip", "--without-mingle")
        schedule = str(self.data_dir / "celerybeat-schedule")
        behind = (
            self._child("worker", *celery, "worker", "--loglevel", "WARNING", *worker),
            self._child("beat", *celery, "beat", "--loglevel", "WARNING", "--pidfile", "", "--schedule", schedule),
            self._child("keep_promises", "manage.py", "keep_promises"),
            self._child("mailboxes", "manage.py", "watch_mailboxes"),
        )
        # Six Pythons importing at once on two cores make people and senders wait for those they do not wait for.
        for child in behind:
            child.start_at = time.monotonic() + _WAY_FOR_WEB_AND_MAIL

    def _run_until_stopped(self) -> None:
        ready = False
        warn_at = time.monotonic() + _PATIENCE
        while not self.stop_asked:
            self._start_due_children()
            self._wait(_LOOK_EVERY if ready else _LOOK_EVERY_AT_START)
            self._notice_endings()
            self._watch_servers()
            if not ready and self._is_ready():
                ready = True
                self._announce()
                for child in self.children:
                    child.start_at = 0.0
            elif not ready and time.monotonic() > warn_at:
                warn_at += _PATIENCE
                self.terminal.say(f"Still waiting for {' and '.join(_FIRST_WORDS.keys() - self._answered)} to answer")

    def _start_due_children(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.pid is None and child.start_at <= now:
                self._start(child)

    def _start(self, child: Child) -> None:
        child.start()
        if child.output is not None:
            self._selector.register(child.output, selectors.EVENT_READ, child)
        remember_children(self.data_dir / "children.json", self.children)

    def _wait(self, seconds: float) -> None:
        """Passes on what the children say until the time is over or something happens."""
        for key, _events in self._selector.select(seconds):
            if key.data is None:
                self._wakeup[0].recv(4096)
            elif key.data.pass_on(self.terminal) is False:
                self._selector.unregister(key.fd)

    def _notice_endings(self) -> None:
        for child in self.children:
            output = child.output
            ending = child.ended(self.terminal)
            if ending is None:
                continue
            if output is not None and output in self._selector.get_map():
                self._selector.unregister(output)
            if not self.stop_asked:
                seconds = max(0.0, child.start_at - time.monotonic())
                self.terminal.say(f"{child.name} {ending}; it starts again in {seconds:.1f} s")

    def _watch_servers(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_EVERY
        if now < self._servers_retry_at:
            return
        try:
            if self.own_valkey and not valkey_is_running(self.data_dir):
                self.terminal.say("Valkey has ended; starting it again")
                start_valkey(self.data_dir)
            if self.own_postgres and not postgres_is_running(self.data_dir):
                self.terminal.say("PostgreSQL has ended; starting it again")
                start_postgres(self.data_dir)
        except EmbeddedServerError as error:
            self.terminal.say(str(error))
            self._servers_retry_at = now + 10

    def _is_ready(self) -> bool:
        """Whether web and mail have both answered once; asked now and then, and who has answered not again."""
        now = time.monotonic()
        if now < self._next_question:
            return False
        self._next_question = now + _LOOK_EVERY_AT_START
        for name, (variable, request, answer) in _FIRST_WORDS.items():
            if name not in self._answered and re.match(answer, _first_words(int(self.environment[variable]), request)):
                self._answered.add(name)
        return len(self._answered) == len(_FIRST_WORDS)

    def _announce(self) -> None:
        address = f"http://{LOOPBACK}:{self.environment['PORT']}/"
        say = self.terminal.say
        say("")
        say(f"Helpdesk is ready at {address}")
        if self.demo:
            say("  log in as  ada@demo.example (admin), grace@demo.example (on call), linus@demo.example")
            say("  password   demo")
        elif nobody_is_there(self.environment["DATABASE_URL"]):
            say(f"  begin at   {address}desk/welcome/?token={setup_token(self.environment['SECRET_KEY'])}")
        say(f"  mail in    SMTP on {LOOPBACK}:{self.environment['SMTP_PORT']}")
        if os.environ.get("EMAIL_URL"):
            say("  mail out   by EMAIL_URL")
        else:
            say(f"  mail out   files in {self.data_dir / 'sent-mail'}, shown at {address}desk/sent-mail/")
        say(f"  data       {self.data_dir}")
        say("  stop       Ctrl-C")
        say("")

    def _stop(self) -> None:
        if self.children:
            self.terminal.say("Stopping")
        asked = self.stop_asked
        for child in self.children:
            child.terminate()
        end = time.monotonic() + _STOP_SECONDS
        # Asked a second time, or out of patience: every child may be killed at any moment without losing anything.
        while any(child.pid for child in self.children) and time.monotonic() < end and self.stop_asked <= asked + 1:
            self._wait(0.1)
            self._notice_endings()
        for child in self.children:
            child.kill()
        while any(child.pid for child in self.children):
            self._wait(0.1)
            self._notice_endings()
        (self.data_dir / "children.json").unlink(missing_ok=True)
        forget_environment(self.data_dir)
        if self.own_valkey:
            stop_valkey(self.data_dir)
        if self.own_postgres:
            stop_postgres(self.data_dir)
        if self.stop_asked:
            self.terminal.say("Stopped")


def _first_words(port: int, request: bytes) -> bytes:
    """The first bytes a server on this machine answers, none when it does not within a second."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(64)
    except OSError:
        return b""


def _take_data_dir(data_dir: Path) -> int | None:
    """The lock of the data folder; tried for a moment, because who asks whether we run takes it for an instant."""
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        lock = take_lock(data_dir / SUPERVISOR_LOCK)
        if lock is not None or time.monotonic() > end:
            return lock
        time.sleep(0.05)


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may allow less than its own hard limit says; what we have is enough to start with.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> int:
    """Runs the helpdesk until it is asked to stop; the exit code is 0 then, and 1 when it could not start."""
    os.umask(0o077)
    _allow_many_files()
    if "MAKELEVEL" in os.environ:
        follow_parent(signal.SIGTERM)  # make may be killed without a word to us
    terminal = Terminal(sys.stdout.fileno())
    try:
        data_dir = prepared_data_dir(Path(os.environ.get("DATA_DIR") or PROJECT / ".data"))
        lock = _take_data_dir(data_dir)
        if lock is None:
            holder = (data_dir / SUPERVISOR_LOCK).read_text().strip()
            raise EmbeddedServerError(
                f"A helpdesk already runs on {data_dir} ({holder}). Stop it, or give this one another DATA_DIR."
            )
        os.truncate(lock, 0)
        os.write(lock, f"process {os.getpid()}".encode())
        forget_environment(data_dir)
        left = end_forgotten_children(data_dir / "children.json", sys.executable)
        if left:
            terminal.say(f"Ended what a killed helpdesk had left running: {', '.join(left)}")
        return Supervisor(data_dir, terminal).run()
    except (EmbeddedServerError, PermissionError) as error:
        terminal.say(str(error))
        return 1
