"""A test of what an admin has set up at Slack: the token, its scopes, the channel, and whether Slack reaches us."""

from collections.abc import Mapping
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chat import slack_posts
from chat.models import SlackThread
from helpdesk.desk.checks import BROKEN, DOUBTFUL, WORKS, Finding, heard, reachable
from helpdesk.desk.forms import Words
from helpdesk.events.outcomes import DeliveryError
from helpdesk.events.provider_calls import provider_client
from helpdesk.events.safe_text import one_line
from helpdesk.oncall.models import PageDelivery
from helpdesk.oncall.pagers.slack_calls import escaped

# The bot's scopes, and what does not work without each. https://docs.slack.dev/reference/scopes
SCOPES: Final[Mapping[str, Words]] = {
    "chat:write": gettext_lazy("nothing can be posted"),
    "channels:history": gettext_lazy("after a lost answer a page may stand there twice; threads are not read"),
    "users:read": gettext_lazy("nobody who writes or presses a button is known"),
    "users:read.email": gettext_lazy("nobody who writes or presses a button is known"),
    "commands": gettext_lazy("there is no slash command"),
}
# So many messages of pages are looked through for the latest one to Slack.
LOOKS_BACK: Final = 1000
_REVOKED: Final = ("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive")
_NO_CHANNEL: Final = ("channel_not_found", "not_in_channel", "is_archived")


def check(who: str) -> list[Finding]:
    """Each part as it stands now; a test message in the name of `who` is posted."""
    if not settings.SLACK_BOT_TOKEN:
        return [Finding(_("Token"), BROKEN, _("SLACK_BOT_TOKEN is not set."))]
    token, scopes = _token()
    if token.state == BROKEN:
        return [token]
    secret = _signing_secret()
    missing = _("None has come yet. Press a button under a page, or write in a thread.")
    return [token, *scopes, _channel(who), secret, reachable(), heard("slack", missing)]


def latest_trouble() -> Finding | None:
    """What went wrong last in telling Slack of a page or a chat, None where all is well."""
    newest = PageDelivery.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    told = PageDelivery.objects.filter(pk__gt=newest - LOOKS_BACK, channel="slack").exclude(sent_at=None, error="")
    page = told.order_by("-pk").first()
    if page is not None and page.state != PageDelivery.State.SENT and page.error:
        return Finding(_("Slack was not told of the latest page"), BROKEN, page.error[:300], page.promised_at)
    chat = SlackThread.objects.order_by("-chat_id").values_list("error", flat=True).first()
    return Finding(_("Slack was not told of the latest chat"), BROKEN, chat) if chat else None


def _token() -> tuple[Finding, list[Finding]]:
    words = _("Token")
    try:
        said, headers = async_to_sync(_who_we_are)()
    except DeliveryError as error:
        code = next((code for code in _REVOKED if code in error.reason), "")
        told = _("Slack refuses SLACK_BOT_TOKEN (%s): install the app again, and set the new token.") % code
        return Finding(words, BROKEN, told if code else error.reason), []
    bot, team = (one_line(str(said.get(name) or ""), 80) for name in ("user", "team"))
    told = _("Slack knows us as %(bot)s in %(team)s.") % {"bot": bot, "team": team}
    has = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    if not has:
        return Finding(words, WORKS, told), []
    if "groups:history" in has:
        has.add("channels:history")
    lacks = [
        Finding(_("Scope %s") % scope, DOUBTFUL, _("Missing: %s.") % why)
        for scope, why in SCOPES.items()
        if scope not in has
    ]
    return Finding(words, WORKS, told), lacks


def _channel(who: str) -> Finding:
    words, channel = _("Channel"), settings.SLACK_CHANNEL
    if not channel:
        return Finding(words, BROKEN, _("SLACK_CHANNEL is not set: nothing is posted."))
    text = f"A test from the helpdesk, asked for by {escaped(one_line(who, 100))}. Nothing needs to be done."
    try:
        async_to_sync(_post)({"channel": channel, "text": text})
    except DeliveryError as error:
        code = next((code for code in _NO_CHANNEL if code in error.reason), "")
        told = _("%(channel)s: %(code)s. Take the channel's id (C…), and invite the bot there.")
        return Finding(words, BROKEN, told % {"channel": channel, "code": code} if code else error.reason)
    return Finding(words, WORKS, _("A test message stands in %s.") % channel)


def _signing_secret() -> Finding:
    words = _("Signing secret")
    if not settings.SLACK_SIGNING_SECRET:
        told = _("SLACK_SIGNING_SECRET is not set: buttons, commands and threads are refused.")
        return Finding(words, BROKEN, told)
    return Finding(words, WORKS, _("It is set. Whether it is the right one shows when Slack calls."))


async def _who_we_are() -> tuple[dict[str, Any], Mapping[str, str]]:
    calls = slack_posts.calls()
    async with provider_client() as client:
        answer = await calls.get(client, "auth.test", [])
        return calls.ok(answer, repeatable=True), answer.headers


async def _post(message: dict[str, Any]) -> None:
    async with provider_client() as client:
        await slack_posts.calls().post(client, "chat.postMessage", message, repeatable=True)
