import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.embedded.children import Child, end_forgotten_children, remember_children
from helpdesk.embedded.processes import running_process, running_processes, wait_until
from helpdesk.embedded.terminal import Terminal

Say = Callable[[], str]


@pytest.fixture
def reader() -> tuple[Terminal, Say]:
    descriptor, writer = os.pipe()
    os.set_blocking(descriptor, False)
    return Terminal(writer), lambda: os.read(descriptor, 1 << 16).decode()


def child(tmp_path: Path, program: str) -> Child:
    return Child("worker", [sys.executable, "-c", program], dict(os.environ), tmp_path)


def ending(subject: Child, terminal: Terminal) -> str:
    found: list[str] = []

    def has_ended() -> bool:
        found.extend(filter(None, [subject.ended(terminal)]))
        return bool(found)

    assert wait_until(has_ended, seconds=20)
    return found[0]


def test_its_words_come_under_its_name_to_the_last_one(tmp_path: Path, reader: tuple[Terminal, Say]) -> None:
    terminal, said = reader
    subject = child(tmp_path, "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)")
    subject.start()
    assert ending(subject, terminal) == "ended with exit code 3"
    assert sorted(said().splitlines()) == ["worker        | one", "worker        | two"]
    assert subject.pid is None


def test_it_waits_longer_each_time_it_dies_young(tmp_path: Path, reader: tuple[Terminal, Say]) -> None:
    terminal, _said = reader
    subject = child(tmp_path, "import os; os.kill(os.getpid(), 9)")
    delays = []
    for _attempt in range(3):
        subject.start()
        assert ending(subject, terminal) == "was killed by SIGKILL"
        delays.append(subject.start_at - time.monotonic())
    assert delays[0] <= 0.5 < delays[1] <= 1 < delays[2] <= 2


def test_what_it_started_ends_with_it(tmp_path: Path, reader: tuple[Terminal, Say]) -> None:
    terminal, said = reader
    program = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"
    subject = child(tmp_path, program)
    subject.start()
    assert ending(subject, terminal) == "ended with exit code 0"
    grandchild = int(said().split("|")[1])
    assert wait_until(lambda: running_process(grandchild) is None, seconds=10)


def test_what_a_killed_supervisor_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    left = subprocess.Popen(sleep, process_group=0)
    other = subprocess.Popen(["sleep", "600"], process_group=0)
    path = tmp_path / "children.json"
    path.write_text(json.dumps({"worker": left.pid, "web": other.pid}))
    try:
        assert end_forgotten_children(path, sys.executable) == ["worker"]
        assert left.wait(10) == -9
        assert other.poll() is None  # its group was written down, but it is not ours: the number was used again
        assert end_forgotten_children(path, sys.executable) == []
    finally:
        for process in (left, other):
            process.kill()
            process.wait()


def test_running_children_are_remembered(tmp_path: Path, reader: tuple[Terminal, Say]) -> None:
    terminal, _said = reader
    subject = child(tmp_path, "import time; time.sleep(600)")
    subject.start()
    path = tmp_path / "children.json"
    remember_children(path, [subject, child(tmp_path, "pass")])
    assert json.loads(path.read_text()) == {"worker": subject.pid}
    assert any(process.pid == subject.pid == process.group for process in running_processes())
    subject.kill()
    ending(subject, terminal)
