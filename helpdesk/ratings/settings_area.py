"""The area "Ratings" of the settings: whether customers are asked by mail, and when."""

from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy

from helpdesk.desk.areas import Area
from helpdesk.desk.fields import DurationField
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.ratings.models import RatingSettings, rating_settings


class RatingsForm(SettingsForm):
    is_on = forms.BooleanField(
        required=False, label=gettext_lazy("Ask by mail how our help was"),
        help_text=gettext_lazy("Once, after a conversation is solved. Chat and portal ask on their own pages."),
    )  # fmt: skip
    delay_minutes = DurationField(
        label=gettext_lazy("So long after it was solved"), help_text=gettext_lazy("Such as 30 min, 4 h or 1 h 30 min.")
    )

    def write(self, *, at: datetime) -> RatingSettings:
        if self.cleaned_data["delay_minutes"] > 43_200:
            raise Refused(gettext_lazy("At most thirty days."), "delay_minutes")
        row = rating_settings()
        row.is_on, row.delay_minutes = self.cleaned_data["is_on"], self.cleaned_data["delay_minutes"]
        row.save()
        return row


class Ratings(Area):
    key, model, form = "ratings", RatingSettings, RatingsForm
    is_single = True
    adds = edits = removes = False
    template = "settings/form.jinja"

    def only(self) -> RatingSettings:
        return rating_settings()


RATINGS = Ratings()
