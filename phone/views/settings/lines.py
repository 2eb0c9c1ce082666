"""The numbers customers call in an emergency: what is heard, by which hours, and who is called."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers import audit
from helpdesk.customers.models import Team, User
from helpdesk.desk.areas import Act, Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.events import twiml
from helpdesk.events.outcomes import DeliveryError
from helpdesk.events.phone_numbers import e164
from helpdesk.oncall import linking, page_words
from helpdesk.oncall.models import AgentAddress, EscalationPolicy
from helpdesk.sla.models import Calendar
from phone import accounts, greetings, lines
from phone.models import Line

MOST_SHOWN: Final = 8
LONGEST_GREETING: Final = 900
LONGEST_MESSAGE: Final = 600
_WHEN: Final = (
    (greetings.OPEN, gettext_lazy("While it is open")),
    (greetings.CLOSED, gettext_lazy("While it is closed")),
)
LANGUAGES: Final = tuple((code, name) for code, name in settings.LANGUAGES if code in greetings.DEFAULTS)
STATES: Final = {
    accounts.CONNECTED: (gettext_lazy("Connected"), "ok"),
    accounts.NOT_CONNECTED: (gettext_lazy("Not connected"), "warn"),
    accounts.DEGRADED: (gettext_lazy("Twilio does not answer"), "warn"),
    accounts.REAUTH: (gettext_lazy("Twilio refuses our token"), "bad"),
}


def _greeting_field(code: str, what: str, label: Any) -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=LONGEST_GREETING,
        label=label,
        widget=forms.Textarea(attrs={"rows": 3, "lang": code, "placeholder": greetings.default(code, what)}),
    )


class LineForm(SettingsForm):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    number = forms.CharField(
        max_length=30,
        label=gettext_lazy("Number"),
        help_text=gettext_lazy("As Twilio lists it, such as +49 30 123456."),
    )
    language = forms.ChoiceField(
        choices=LANGUAGES,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Where neither the customer nor their number says another one."),
    )
    calendar = forms.ModelChoiceField(
        Calendar.objects.order_by("name"),
        required=False,
        label=gettext_lazy("Open by"),
        empty_label=gettext_lazy("The office"),
    )
    escalation_policy = forms.ModelChoiceField(
        EscalationPolicy.objects.order_by("name"),
        required=False,
        label=gettext_lazy("Calls"),
        empty_label=gettext_lazy("Whom the team or the default policy calls"),
    )
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"), required=False, label=gettext_lazy("Team"), empty_label=gettext_lazy("None")
    )
    longest_seconds = forms.IntegerField(
        min_value=30, max_value=LONGEST_MESSAGE, initial=lines.LONGEST_SECONDS,
        label=gettext_lazy("Longest message, in seconds"),
    )  # fmt: skip
    transcribes = forms.BooleanField(
        required=False,
        label=gettext_lazy("Have Twilio write down what was said"),
        help_text=gettext_lazy("English only, and charged by the minute."),
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Takes calls"),
        help_text=gettext_lazy("Otherwise callers hear that the number is not in use."),
    )

    def prepare(self) -> None:
        self.greeting_names = {f"{what}_{code}": (code, what) for code, _name in LANGUAGES for what, _label in _WHEN}
        base = ("name", "number", "language", "calendar", "team", "escalation_policy")
        self.sections = (  # type: ignore[misc]  # by the languages of this installation
            ("", base),
            (_("Messages"), ("longest_seconds", "transcribes", "is_active")),
            *(
                (_("Greeting: %s") % name, tuple(f"{what}_{code}" for what, _label in _WHEN))
                for code, name in LANGUAGES
            ),
        )

    def values(self, found: Any) -> dict[str, Any]:
        given = super().values(found)
        own = found.greetings if isinstance(found, Line) else {}
        more = {name: own.get(code, {}).get(what, "") for name, (code, what) in self.greeting_names.items()}
        return {**given, **more}

    def arrange(self) -> None:
        labels = dict(_WHEN)
        for name, (code, what) in self.greeting_names.items():
            self.fields[name] = _greeting_field(code, what, labels[what])

    def clean_number(self) -> str:
        number = e164(self.cleaned_data["number"])
        if not number:
            raise forms.ValidationError(_("Write the number with its country, such as +49 30 123456."))
        return number

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in self.greeting_names:
            if str(cleaned.get(name, "")).strip().startswith("http:"):
                self.add_error(name, _("A recorded file is played from an https address only."))
        return cleaned

    def write(self, *, at: datetime) -> Line:
        given = dict(self.cleaned_data)
        own: dict[str, dict[str, str]] = {}
        for name, (code, what) in self.greeting_names.items():
            words = str(given.pop(name, "")).strip()
            if words:
                own.setdefault(code, {})[what] = words
        others = Line.objects.exclude(pk=self.found.pk if self.found else 0)
        if others.filter(number=given["number"]).exists():
            raise Refused(_("There is a line with this number."), "number")
        if others.filter(name=given["name"]).exists():
            raise Refused(_("There is a line of this name."), "name")
        line = self.found or Line(created_at=at)
        for name, value in {**given, "greetings": own}.items():
            setattr(line, name, value)
        line.save()
        return line


def _test_call(line: Line, user: User, sent: Mapping[str, str], at: datetime) -> str:
    """Ring the admin's own phone, and say there what a caller would hear now."""
    own = linking.address_of(user, AgentAddress.Kind.PHONE)
    if not own:
        raise Refused(_("Link your own phone first, under My phone and Telegram."))
    if not accounts.can_call():
        raise Refused(_("Twilio is not connected, or has no number of ours to call from."))
    heard = lines.greeting(line.number, own, at=at)
    language = page_words.known(user.language)
    test = twiml.said(page_words.say(language, page_words.TEST), language)
    words = [test, twiml.said(heard.words, heard.language)]
    form = [("To", own), ("From", accounts.sender()), ("Twiml", twiml.response(*words, twiml.hangup()))]
    try:
        accounts.create("Calls", form)
    except DeliveryError as error:
        raise Refused(_("The call was not placed: %s") % error.reason) from error
    audit.record(user.pk, "tested", line, {}, {}, at=at)
    return ""


class Lines(Area):
    key, model, form = "phone", Line, LineForm
    searches = ("name", "number")
    add_words = gettext_lazy("Add number")
    empty = (
        gettext_lazy("No number yet"),
        gettext_lazy(
            "Rent one from Twilio: who calls it leaves a message, and on-call is rung until somebody answers."
        ),
    )
    remove_words = gettext_lazy("Calls that still come in there are taken with the standard greeting. Past calls stay.")
    template = "settings/phone_line.jinja"
    acts = (Act("testing", _test_call, gettext_lazy("Your phone is ringing."), calls_outside=True),)

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [] if found.is_active else [(_("Switched off"), "")]
        if not accounts.is_connected():
            marks.append(STATES[accounts.NOT_CONNECTED])
        return Row(found.pk, found.name, found.number, marks, "phone")

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        health = accounts.health()
        base = f"{settings.PUBLIC_URL}/hooks/twilio"
        return {
            "health": health,
            "state": STATES[health.state],
            "hooks": [
                (_("A call comes in"), f"{base}/voice/"),
                (_("Call status changes"), f"{base}/status/"),
                (_("A message comes in"), f"{base}/sms/"),
            ],
            "latest": list(found.calls.select_related("customer").order_by("-pk")[:MOST_SHOWN]) if found else [],
            "open_now": lines.greeting(found.number, "", at=now()) if found else None,
        }


LINES = Lines()
