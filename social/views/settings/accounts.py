"""Social accounts: every network there is, what it takes to connect it, how each account is and what it costs."""

from collections.abc import Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers import audit
from helpdesk.customers.models import Team, User
from helpdesk.desk.areas import Act, Area, Row
from helpdesk.desk.fields import LinesField
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.oncall.models import Schedule
from helpdesk.sla.models import Policy
from social import accounts, connecting, spending
from social.connecting_words import COVERAGES, ICONS, STATES, STEPS
from social.models import Account
from social.network import Need, network

DOLLAR: Final = 1_000_000
MOST_CHECKS: Final = 24
LONGEST: Final = 1_000
_PLAIN: Final[tuple[str, ...]] = (
    *("name", "is_active", "handle", "external_id", "base_url", "team", "policy", "schedule", "coverage", "checks"),
    *("needs_approval", "send_delay"),
)


class AccountForm(SettingsForm):
    network = forms.ChoiceField(choices=Account.Network.choices, widget=forms.HiddenInput)
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    handle = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Handle"),
        help_text=gettext_lazy("What people write to. A connected account tells it by itself."),
    )
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("In use"))
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"), required=False, label=gettext_lazy("Team"), empty_label=gettext_lazy("None")
    )
    policy = forms.ModelChoiceField(
        Policy.objects.order_by("name"),
        required=False,
        label=gettext_lazy("Response goals and covered hours"),
        empty_label=gettext_lazy("Those of the customer's plan"),
        help_text=gettext_lazy("For what is said in public."),
    )
    schedule = forms.ModelChoiceField(
        Schedule.objects.order_by("name"),
        required=False,
        label=gettext_lazy("Covered by"),
        empty_label=gettext_lazy("Nobody in particular"),
    )
    coverage = forms.ChoiceField(
        choices=list(COVERAGES.items()), initial=Account.Coverage.BEST_EFFORT, label=gettext_lazy("Looked at")
    )
    checks = LinesField(
        required=False,
        label=gettext_lazy("At these times"),
        help_text=gettext_lazy("One a line, such as 08:30, in the office's time zone."),
    )
    needs_approval = forms.BooleanField(
        required=False, label=gettext_lazy("A second person reads what is said in public before it leaves")
    )
    send_delay = forms.IntegerField(
        min_value=0, max_value=600, initial=20, label=gettext_lazy("Seconds in which a public post can be taken back")
    )
    daily_cap = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_value=Decimal(100_000),
        decimal_places=2,
        label=gettext_lazy("Daily cap, in US dollars"),
        help_text=gettext_lazy(
            "Counted from our own calls, by UTC days. At the cap the account pauses until the next."
        ),
    )
    staff_handles = LinesField(
        required=False,
        label=gettext_lazy("Handles of your own people"),
        help_text=gettext_lazy("What they say in private never becomes a ticket, and is never answered from here."),
    )

    def prepare(self) -> None:
        asked = self.request.POST.get("network") or self.request.GET.get("network", "")
        self.of = self.found.network if self.found else asked if asked in Account.Network.values else ""
        is_ours = bool(self.found and self.found.is_from_environment)
        self.needs: dict[str, Need] = {} if not self.of or is_ours else {_name(n): n for n in network(self.of).needs}
        about = tuple(name for name in ("name", "handle", "is_active") if name not in self.needs)
        self.sections = (  # type: ignore[misc]  # by the network
            ("", ("network", *about)),
            *(((_("Credentials"), tuple(self.needs)),) if self.needs else ()),
            (_("Who answers, and how fast"), ("team", "policy", "schedule", "coverage", "checks")),
            (_("In public"), ("needs_approval", "send_delay", "staff_handles")),
            (_("Money"), ("daily_cap",)),
        )

    def values(self, found: Any) -> dict[str, Any]:
        if not isinstance(found, Account):
            return {"network": self.of, "name": network(self.of).title if self.of else ""}
        more = {
            name: getattr(found, name) if name in connecting.COLUMNS else found.options.get(need.name, "")
            for name, need in self.needs.items()
            if not need.is_secret
        }
        cap = None if found.daily_cap is None else (Decimal(found.daily_cap) / DOLLAR).quantize(Decimal("0.01"))
        told = {
            "checks": [one.strftime("%H:%M") for one in found.checks],
            "staff_handles": found.options.get(connecting.STAFF, []),
            "daily_cap": cap,
        }
        return {**super().values(found), **more, **told}

    def arrange(self) -> None:
        kept = connecting.entered(self.found) if self.found and self.needs else {}
        for name, need in self.needs.items():
            self.fields[name] = _field(need, is_kept=bool(kept.get(need.name)))

    def clean_checks(self) -> list[time]:
        found = []
        for word in self.cleaned_data["checks"]:
            try:
                # Nothing finer than minutes, which is what the field shows.
                found.append(time.fromisoformat(word if len(word) == 5 else ""))
            except ValueError as error:
                raise forms.ValidationError(_("Write times such as 08:30.")) from error
        if len(found) > MOST_CHECKS:
            raise forms.ValidationError(_("At most %(most)s.") % {"most": MOST_CHECKS})
        return sorted(set(found))

    def write(self, *, at: datetime) -> Account:
        given = self.cleaned_data
        if self.found is not None and self.found.network != given["network"]:
            raise Refused(_("Another network is another account."))
        columns: dict[str, Any] = {name: given[name] for name in _PLAIN if name in given}
        columns["daily_cap"] = None if given["daily_cap"] is None else int(given["daily_cap"] * DOLLAR)
        options = {
            need.name: given[name].strip()
            for name, need in self.needs.items()
            if not need.is_secret and name not in connecting.COLUMNS
        }
        secrets = {need.name: given[name].strip() for name, need in self.needs.items() if need.is_secret}
        account = self.found or Account(network=given["network"], created_at=at)
        try:
            return connecting.keep(
                account, columns, secrets=secrets, options={**options, connecting.STAFF: given["staff_handles"]}, at=at
            )
        except connecting.Taken as error:
            raise Refused(_("There is a row for this account already."), error.field) from error


def _name(need: Need) -> str:
    """A field's name: columns have their own, secrets and options are told apart from them."""
    if need.is_secret:
        return f"secret_{need.name}"
    return need.name if need.name in connecting.COLUMNS else f"option_{need.name}"


def _field(need: Need, *, is_kept: bool) -> forms.CharField:
    words = gettext_lazy("Kept. Leave it empty to keep it.") if is_kept else need.help_text
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    widget = forms.PasswordInput(attrs={**attrs, "autocomplete": "new-password"}) if need.is_secret else None
    longest = LONGEST if need.is_secret or need.name not in connecting.COLUMNS else 200
    # An account without credentials is one all the same: the manual log works.
    return forms.CharField(
        required=False,
        max_length=longest,
        label=need.label,
        help_text=words,
        widget=widget or forms.TextInput(attrs=attrs),
    )


def _test(account: Account, user: User, sent: Mapping[str, str], at: datetime) -> str:
    """Ask the network who we are. What it says is kept either way."""
    before = audit.stored(account)
    found = accounts.probe(account, at=at)
    audit.record(user.pk, "tested", account, before, audit.stored(account), at=at)
    if "error" in found:
        raise Refused(_("It does not work: %(why)s") % {"why": found["error"]})
    return ""


def _pause(account: Account, user: User, sent: Mapping[str, str], at: datetime) -> str:
    before = audit.stored(account)
    connecting.pause(account, at=at)
    audit.record(user.pk, "paused", account, before, audit.stored(account), at=at)
    return ""


def _resume(account: Account, user: User, sent: Mapping[str, str], at: datetime) -> str:
    before = audit.stored(account)
    if not connecting.resume(account, at=at):
        raise Refused(_("It is not paused."))
    audit.record(user.pk, "resumed", account, before, audit.stored(account), at=at)
    return ""


class Accounts(Area):
    key, model, form = "social", Account, AccountForm
    order = ("network", "name", "id")
    searches = ("name", "handle")
    add_words = gettext_lazy("Add account")
    empty = (
        gettext_lazy("No account yet"),
        gettext_lazy("Choose a network: the page says where its token comes from. Without one, the manual log works."),
    )
    remove_words = gettext_lazy("Only an account that nothing was said on can go. Others are taken out of use.")
    template = "settings/social_account.jinja"
    acts = (
        Act("test", _test, gettext_lazy("It works: the network knows this account."), calls_outside=True),
        Act("pause", _pause, gettext_lazy("Paused: nothing is sent or read until you resume it.")),
        Act("resume", _resume, gettext_lazy("It goes on.")),
    )

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [STATES[found.state]]
        if found.is_from_environment:
            marks.append((_("From the environment"), ""))
        if not found.is_active:
            marks.append((_("Out of use"), ""))
        meta = " · ".join(word for word in (network(found.network).title, found.handle, found.state_detail) if word)
        return Row(found.pk, found.name, meta, marks, ICONS[found.network])

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        try:
            connecting.forget(found, at=at)
        except ValueError as error:
            raise Refused(_("It is described in the environment of the server; take it out there.")) from error

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse(self.name_of("edit"), args=[found.pk])

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        assert isinstance(form, AccountForm), "it is this area's"
        if not form.of:
            return {"networks": _networks(), "of": ""}
        bought = spending.lately(found, at=now()) if found else []
        held = connecting.entered(found) if found else {}
        return {
            "of": form.of,
            "title": network(form.of).title,
            "steps": STEPS[form.of],
            "hook": connecting.hook_address(form.of),
            "state": STATES[found.state] if found else None,
            "missing": [one.label for one in connecting.missing(found, held)] if found else [],
            "today": _dollars(spending.today(found, at=now())) if found else "",
            "cap": _dollars(found.daily_cap) if found and found.daily_cap is not None else "",
            "month": _dollars(sum(amount for _day, _what, _units, amount in bought)),
            "bought": [(day, what, units, _dollars(amount)) for day, what, units, amount in bought],
        }


def _networks() -> list[dict[str, Any]]:
    """Every network, with how many accounts there are and what it can."""
    known: dict[str, int] = {}
    for name in Account.objects.values_list("network", flat=True):
        known[name] = known.get(name, 0) + 1
    return [
        {"name": name, "title": label, "icon": ICONS[name], "accounts": known.get(name, 0), "steps": STEPS[name]}
        for name, label in Account.Network.choices
    ]


def _dollars(millionths: int) -> str:
    return f"${Decimal(millionths) / DOLLAR:,.2f}"


ACCOUNTS = Accounts()
