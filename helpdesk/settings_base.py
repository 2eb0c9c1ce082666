"""What all settings begin with: where we are, what this machine runs itself, and the address we are known by."""

from pathlib import Path

import environ

from helpdesk.embedded.environment import running_environment

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()

# Without DATABASE_URL this machine runs its own PostgreSQL and Valkey under DATA_DIR (`make run`, the tests).
EMBEDDED = "DATABASE_URL" not in env.ENVIRON
found = running_environment(DATA_DIR) if EMBEDDED else {}


def secret(name: str) -> str:
    return env.str(name, default="") or found.get(name, "")


PORT = env.int("PORT", default=int(found.get("PORT", 8000)))
PUBLIC_URL = env.str("PUBLIC_URL", default=found.get("PUBLIC_URL", f"http://127.0.0.1:{PORT}")).rstrip("/")
HELPDESK_DEMO = env.bool("HELPDESK_DEMO", default=found.get("HELPDESK_DEMO", "1") == "1" if EMBEDDED else False)
SECURE = PUBLIC_URL.startswith("https://")
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
