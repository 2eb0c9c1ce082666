"""Our account with Twilio, entered by an admin where the environment has none."""

import re
from datetime import datetime
from typing import Any, Final

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.desk.areas import Area
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.events.phone_numbers import e164
from helpdesk.oncall import twilio_account
from helpdesk.oncall.twilio_account import TwilioAccount
from phone import accounts
from phone.views.settings.lines import STATES

# https://www.twilio.com/docs/glossary/what-is-a-sid: two letters and 32 hexadecimal digits.
_ACCOUNT: Final = re.compile(r"AC[0-9a-f]{32}", re.ASCII)
_SERVICE: Final = re.compile(r"MG[0-9a-f]{32}", re.ASCII)


class TwilioForm(SettingsForm):
    account_sid = forms.CharField(
        required=False,
        max_length=34,
        label=gettext_lazy("Account SID"),
        help_text=gettext_lazy("On the first page of Twilio's console. Leave it empty to disconnect."),
    )
    token = forms.CharField(
        required=False,
        max_length=200,
        label=gettext_lazy("Auth token"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    sender = forms.CharField(
        required=False,
        max_length=34,
        label=gettext_lazy("Number that calls and texts come from"),
        help_text=gettext_lazy("Such as +49 30 123456. A messaging service (MG…) sends texts, but cannot call."),
    )

    def arrange(self) -> None:
        is_kept = self.found is not None and bool(self.found.secret)
        here = gettext_lazy("Kept. Leave it empty to keep it.") if is_kept else gettext_lazy("Beside the SID.")
        self.fields["token"].help_text = here

    def clean_account_sid(self) -> str:
        sid = str(self.cleaned_data["account_sid"]).strip()
        if sid and not _ACCOUNT.fullmatch(sid):
            raise forms.ValidationError(_("An account SID is AC and 32 digits and letters."))
        return sid

    def clean_sender(self) -> str:
        typed = str(self.cleaned_data["sender"]).strip()
        found = typed if _SERVICE.fullmatch(typed) else e164(typed)
        if typed and not found:
            raise forms.ValidationError(_("Write the number with its country, such as +49 30 123456."))
        return found

    def write(self, *, at: datetime) -> TwilioAccount | None:
        given = self.cleaned_data
        if not given["account_sid"]:
            twilio_account.remove()
            return TwilioAccount(pk=1)
        if not given["token"] and self.found.account_sid != given["account_sid"]:
            raise Refused(_("Another account has another token."), "token")
        row = twilio_account.keep(given["account_sid"], given["token"].strip(), given["sender"])
        accounts.changed(at=at)
        return row


class Twilio(Area):
    key, model, form = "twilio", TwilioAccount, TwilioForm
    is_single = True
    adds = edits = removes = False
    template = "settings/twilio.jinja"

    def only(self) -> TwilioAccount:
        return TwilioAccount.objects.filter(pk=1).first() or TwilioAccount(pk=1)

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        health, base = accounts.health(), f"{settings.PUBLIC_URL}/hooks/twilio"
        return {
            "health": health,
            "state": STATES[health.state],
            "is_from_environment": twilio_account.is_from_environment(),
            "is_unreadable": bool(found.secret) and health.state == accounts.NOT_CONNECTED,
            "hooks": [
                (_("A call comes in"), f"{base}/voice/"),
                (_("Call status changes"), f"{base}/status/"),
                (_("A message comes in"), f"{base}/sms/"),
            ],
        }


TWILIO = Twilio()
