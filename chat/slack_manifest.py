"""The Slack app as Slack takes it, so that nobody copies five addresses by hand.

https://docs.slack.dev/reference/app-manifest
"""

import json
from typing import Final

from chat.slack_checks import SCOPES
from chat.slack_words import SEND_SHORTCUT

COMMAND: Final = "/helpdesk"
EVENTS, INTERACTIVITY, COMMANDS = "/hooks/slack/events/", "/hooks/slack/interactivity/", "/hooks/slack/commands/"


def manifest(public_url: str, name: str) -> str:
    """As JSON; `name` is how the app is called, of which Slack takes 35 characters."""
    shown = name[:35] or "Helpdesk"
    command = {
        "command": COMMAND,
        "url": public_url + COMMANDS,
        "description": "Who is on call, find a ticket, open an incident",
        "usage_hint": "oncall | find 1042 | incident what is broken",
        "should_escape": False,
    }
    shortcut = {
        "name": "Send to customer",
        "type": "message",
        "callback_id": SEND_SHORTCUT,
        "description": "Sends this message of a chat's thread to the customer",
    }
    told = {
        "display_information": {"name": shown},
        "features": {
            "bot_user": {"display_name": shown, "always_online": True},
            "slash_commands": [command],
            "shortcuts": [shortcut],
        },
        "oauth_config": {"scopes": {"bot": [*SCOPES, "groups:history"]}},
        "settings": {
            "interactivity": {"is_enabled": True, "request_url": public_url + INTERACTIVITY},
            "event_subscriptions": {
                "request_url": public_url + EVENTS,
                "bot_events": ["message.channels", "message.groups"],
            },
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(told, indent=2)
