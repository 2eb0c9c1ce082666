"""The agent's own page of the settings: the phone and the Telegram chat where pages reach them."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from helpdesk.desk.pages import AgentRequest, settings_page, viewers_too
from helpdesk.events.outcomes import DeliveryError
from helpdesk.oncall import linking, telegram_updates
from helpdesk.oncall.models import AgentAddress
from phone import accounts


@require_safe
@never_cache
@viewers_too
def reach(request: AgentRequest) -> HttpResponse:
    """Where pages reach this agent, and what has to be done so that they do."""
    return _show(request)


def _show(
    request: AgentRequest, *, trouble: str = "", telegram_code: str = "", bot: str = "", status: int = 200
) -> HttpResponse:
    found = {one.kind: one for one in AgentAddress.objects.filter(user=request.user)}
    phone, telegram = found.get(AgentAddress.Kind.PHONE), found.get(AgentAddress.Kind.TELEGRAM)
    is_asked = phone is not None and bool(phone.code_digest) and phone.code_until is not None
    context = {
        "trouble": trouble,
        "phone": phone if phone and phone.confirmed_at else None,
        "asked": phone if is_asked and phone and phone.code_until and phone.code_until > now() else None,
        "telegram": telegram if telegram and telegram.confirmed_at else None,
        "telegram_code": telegram_code,
        "bot": bot,
        "can_text": accounts.can_text(),
        "can_telegram": bool(settings.TELEGRAM_BOT_TOKEN),
    }
    return settings_page(request, "reach", "reach", status=status, **context)


@require_POST
@viewers_too
def ask_phone(request: AgentRequest) -> HttpResponse:
    """Send a code to a number; whoever can read it there has shown that it is theirs."""
    if not accounts.can_text():
        return _show(request, trouble=_("Twilio is not connected, so no code can be sent."), status=422)
    try:
        number, code = linking.ask_phone(request.user, request.POST.get("number", "")[:100], at=now())
        accounts.create("Messages", _code_message(number, code))
    except linking.NotLinked as error:
        return _show(request, trouble=str(error), status=422)
    except DeliveryError as error:
        return _show(request, trouble=_("The code was not sent: %s") % error.reason, status=422)
    messages.success(request, _("A code is on its way to %s.") % number)
    return redirect("phone:reach")


def _code_message(number: str, code: str) -> list[tuple[str, str]]:
    words = _("%(code)s is your code for the helpdesk. It is good for ten minutes.") % {"code": code}
    return accounts.text_form(number, words)


@require_POST
@viewers_too
def confirm_phone(request: AgentRequest) -> HttpResponse:
    """The code that was sent."""
    try:
        number = linking.confirm_phone(request.user, request.POST.get("code", "")[:20], at=now())
    except linking.NotLinked as error:
        return _show(request, trouble=str(error), status=422)
    messages.success(request, _("%s is yours. Choose which pages ring there under “When I am paged”.") % number)
    return redirect("phone:reach")


@require_POST
@never_cache
@viewers_too
def ask_telegram(request: AgentRequest) -> HttpResponse:
    """A code for our bot, shown this once."""
    if not settings.TELEGRAM_BOT_TOKEN:
        return _show(request, trouble=_("Telegram is not connected."), status=422)
    try:
        bot = telegram_updates.bot_name()
    except DeliveryError as error:
        return _show(request, trouble=_("Telegram does not work: %s") % error.reason, status=422)
    return _show(request, telegram_code=linking.ask_telegram(request.user, at=now()), bot=bot)


@require_POST
@viewers_too
def unlink(request: AgentRequest, kind: str) -> HttpResponse:
    """No page reaches this agent there any more."""
    if kind not in AgentAddress.Kind.values:
        raise Http404
    linking.unlink(request.user, kind)
    messages.success(request, _("It is no longer linked."))
    return redirect("phone:reach")
