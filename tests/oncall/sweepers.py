"""A process that forks sweepers and kills them at random: `python -m tests.oncall.sweepers COUNT KILLS START SPEED`.

Each sweeper does what the workers do for a clock, from deadline to provider, over and over. START is the story's time
(seconds since 1970), of which SPEED pass in a second, so that a killed one's lease runs out soon. Says "KILLED n" when
all kills are done, and then goes on until standard input ends.
"""

import os
import random
import select
import signal
import sys
import time
from datetime import UTC, datetime

import django

MOST_LIVING = 0.35  # seconds between two kills, at most


def story_time(start: float, speed: float, began: float) -> datetime:
    return datetime.fromtimestamp(start + (time.monotonic() - began) * speed, UTC)


def sweep_for_ever(start: float, speed: float, began: float) -> None:
    from helpdesk.events import outbox
    from helpdesk.oncall import deliveries
    from helpdesk.sla import sweep

    while True:
        done = sweep.sweep(story_time(start, speed, began), limit=1000)
        done += outbox.drain(story_time(start, speed, began), limit=200)
        done += deliveries.deliver(story_time(start, speed, began), limit=400)
        if not done:
            time.sleep(0.05)


def fork(start: float, speed: float, began: float) -> int:
    pid = os.fork()
    if pid == 0:
        random.seed()
        try:
            sweep_for_ever(start, speed, began)
        finally:
            os._exit(1)
    return pid


def main(count: int, kills: int, start: float, speed: float) -> None:
    began = time.monotonic()
    living = [fork(start, speed, began) for _ in range(count)]
    for _ in range(kills):
        time.sleep(random.uniform(0.02, MOST_LIVING))
        victim = living.pop(random.randrange(count))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        living.append(fork(start, speed, began))
    sys.stdout.write(f"KILLED {kills}\n")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        for pid in list(living):
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                living.remove(pid)
                living.append(fork(start, speed, began))
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
