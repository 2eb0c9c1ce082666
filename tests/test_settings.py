"""What follows from the environment where nothing is said, in a process of its own."""

import os
import subprocess
import sys

import pytest

_UNCONNECTED = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "unused",
}


def _settings(name: str, environment: dict[str, str]) -> str:
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "SYSTEMROOT", "DATA_DIR")}
    shown = subprocess.run(
        [sys.executable, "-c", f"from helpdesk import settings; print(settings.{name})"],
        env=kept | _UNCONNECTED | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return shown.stdout.strip()


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        ({}, ""),
        ({"HELPDESK_DEMO": "1"}, "127.0.0.0/8,::1/128"),
        ({"HELPDESK_DEMO": "1", "PUBLIC_URL": "https://help.example.org"}, ""),
        ({"WEBHOOK_ALLOW_PRIVATE": "10.1.0.0/16"}, "10.1.0.0/16"),
    ],
    ids=["a site", "the demo here", "the demo elsewhere", "said"],
)
def test_webhooks_reach_nothing_private_but_from_the_demo(environment: dict[str, str], allowed: str) -> None:
    assert _settings("WEBHOOK_ALLOW_PRIVATE", environment) == allowed
