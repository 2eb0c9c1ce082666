"""How each network is connected, in short steps, and the words for an account's health."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from social.models import Account

State = Account.State
STATES: Final[Mapping[str, tuple[Any, str]]] = {
    State.CONNECTED: (_("Connected"), "ok"),
    State.NOT_CONNECTED: (_("Not connected"), ""),
    State.DEGRADED: (_("Trouble"), "warn"),
    State.REAUTH_REQUIRED: (_("Connect again"), "bad"),
    State.PAUSED: (_("Paused"), "warn"),
}
COVERAGES: Final[Mapping[str, Any]] = {
    Account.Coverage.CONSTANT: _("All the time"),
    Account.Coverage.SEVERAL_TIMES_A_DAY: _("Several times a day"),
    Account.Coverage.BEST_EFFORT: _("As well as we can"),
}
ICONS: Final[Mapping[str, str]] = {
    "x": "message-circle",
    "facebook": "users-round",
    "whatsapp": "phone",
    "telegram": "send",
    "mastodon": "megaphone",
    "bluesky": "at-sign",
    "discourse": "message-square",
    "feed": "activity",
}
# Who needs an account with them, what of them costs money, what they let us do: docs/social.md says more.
STEPS: Final[Mapping[str, tuple[Any, ...]]] = {
    "x": (
        _("At developer.x.com, make a project with an app. Reading and posting is paid by use: set a daily cap below."),
        _("Give the app “Read and write and Direct message”, type “Web App”, and let your brand account authorize it."),
        _(
            "Scopes: tweet.read, tweet.write, tweet.moderate.write, users.read, dm.read, dm.write, mute.write,"
            " media.write, offline.access."
        ),
        _("Copy access token, refresh token, client ID and secret, and the consumer secret, which signs webhooks."),
        _("Register the webhook address below; X checks it at once. Without it mentions are read by polling."),
    ),
    "facebook": (
        _("At developers.facebook.com, make an app of type “Business” and add Webhooks and Messenger to it."),
        _("In Business settings, add a system user, assign the page to it, and generate a token that does not end."),
        _("Permissions: pages_show_list, pages_manage_metadata, pages_read_engagement, pages_read_user_content,"
          " pages_manage_posts, pages_manage_engagement, pages_messaging."),
        _("Enter the webhook address below with your verify token, and subscribe to feed, messages and message_reads."),
    ),
    "whatsapp": (
        _("At developers.facebook.com, add WhatsApp to a business app and register the phone number there."),
        _("Generate a token of a system user with whatsapp_business_messaging and whatsapp_business_management."),
        _("Enter the webhook address below with your verify token, and subscribe to messages."),
        _("Answers are free of form for 24 hours after the person wrote; later WhatsApp refuses them."),
    ),
    "telegram": (
        _("Write /newbot to @BotFather and copy the token it gives you."),
        _("Without a webhook secret the bot's updates are asked for. With one, set the webhook to the address below."),
        _("A bot cannot write first: people begin the conversation."),
    ),
    "mastodon": (
        _("On your instance: Preferences, Development, New application, with the scopes read, write and follow."),
        _("Copy the access token. Mark the account as a bot if answers are not always written by a person."),
    ),
    "bluesky": (
        _("In Bluesky: Settings, Privacy and security, App passwords, and allow direct messages for it."),
        _("Enter your handle and that password, never the account's own."),
    ),
    "discourse": (
        _("On the forum: Admin, API, New key, for the one user who answers, with the scopes topics and posts."),
        _("For news at once: Admin, API, Webhooks, the address below, a secret, and post events."),
    ),
    "feed": (
        _("The address of any RSS or Atom feed. It is read; answers are written there by hand, by a link."),
        _("Words, by commas, keep out what is not about you."),
    ),
}  # fmt: skip
