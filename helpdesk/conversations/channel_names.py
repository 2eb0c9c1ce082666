"""What the ways to us are called."""

from django.utils.translation import gettext as _


def channel_names() -> dict[str, str]:
    """By their codes, in the language that is on: of channels, and of what else customers are known by."""
    return {
        "email": _("E-mail"),
        "form": _("Web form"),
        "api": _("API"),
        "chat": _("Chat"),
        "phone": _("Phone"),
        "sms": _("SMS"),
        "portal": _("Portal"),
        "site": _("Dashboard"),
        "whatsapp": "WhatsApp",
    }


def channel_name(code: str) -> str:
    """Networks are called as their codes."""
    return channel_names().get(code, code.capitalize())
