"""The area "Quotes" of the settings: what every new quote begins with."""

from datetime import datetime
from typing import ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import Plan
from helpdesk.desk.areas import Area
from helpdesk.desk.forms import Refused, Sections, SettingsForm
from quotes import drafting
from quotes.currencies import MINOR_UNITS
from quotes.models import QuoteSettings


class QuotesForm(SettingsForm):
    seller = forms.CharField(required=False, max_length=200, label=gettext_lazy("Company, as it stands on quotes"))
    address = forms.CharField(
        required=False, max_length=1000, label=gettext_lazy("Address"), widget=forms.Textarea(attrs={"rows": 3})
    )
    tax_id = forms.CharField(required=False, max_length=80, label=gettext_lazy("Tax number"))
    footer = forms.CharField(
        required=False, max_length=1000, label=gettext_lazy("At the foot of each page"),
        widget=forms.Textarea(attrs={"rows": 2}), help_text=gettext_lazy("Register, bank, managing directors."),
    )  # fmt: skip
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=[(code, code) for code in sorted(MINOR_UNITS)])
    tax_name = forms.CharField(required=False, max_length=40, label=gettext_lazy("What the tax is called"))
    tax_rate = forms.DecimalField(
        min_value=0, max_value=100, max_digits=5, decimal_places=2, label=gettext_lazy("Tax rate in percent")
    )
    terms = forms.CharField(
        required=False, max_length=10_000, label=gettext_lazy("Terms"), widget=forms.Textarea(attrs={"rows": 4})
    )
    validity_days = forms.IntegerField(min_value=1, max_value=365, label=gettext_lazy("Valid for so many days"))
    remind_days = forms.IntegerField(
        min_value=0, max_value=60, label=gettext_lazy("Remind so many days before it ends"),
        help_text=gettext_lazy("0 for no reminder"),
    )  # fmt: skip
    upgrade_plan = forms.ModelChoiceField(
        Plan.objects.all(), required=False, label=gettext_lazy("Plan offered beside each quote"),
        help_text=gettext_lazy("Customers who have it already are not offered it."),
    )  # fmt: skip
    upgrade_price = forms.CharField(
        required=False, max_length=120, label=gettext_lazy("What it costs"),
        help_text=gettext_lazy("As customers read it, such as “99 € a month”."),
    )  # fmt: skip
    upgrade_words = forms.CharField(
        required=False, max_length=2000, label=gettext_lazy("What it brings"), widget=forms.Textarea(attrs={"rows": 3})
    )
    upgrade_changes_plan = forms.BooleanField(
        required=False, label=gettext_lazy("Whoever chooses it has the plan at once"),
        help_text=gettext_lazy("Otherwise the conversation is opened for you to do it."),
    )  # fmt: skip

    sections: ClassVar[Sections] = (
        (gettext_lazy("Who offers"), ("seller", "address", "tax_id", "footer")),
        (gettext_lazy("What it begins with"),
         ("currency", "tax_name", "tax_rate", "validity_days", "remind_days", "terms")),
        (gettext_lazy("Offered beside it"),
         ("upgrade_plan", "upgrade_price", "upgrade_words", "upgrade_changes_plan")),
    )  # fmt: skip

    def write(self, *, at: datetime) -> QuoteSettings:
        given = self.cleaned_data
        if given["upgrade_plan"] is not None and not given["upgrade_price"]:
            raise Refused(_("Say what it costs."), "upgrade_price")
        row = drafting.quote_settings()
        for name, value in given.items():
            setattr(row, name, value)
        row.save()
        return row


class Quotes(Area):
    key, model, form = "quotes", QuoteSettings, QuotesForm
    is_single = True
    adds = edits = removes = False
    template = "settings/form.jinja"

    def only(self) -> QuoteSettings:
        return drafting.quote_settings()


QUOTES = Quotes()
