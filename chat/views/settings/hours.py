"""When chats can be booked, how many at once, and what is booked."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.timezone import now
from django.utils.translation import gettext_lazy

from chat import booking_hours
from chat.models import Booking, BookingHours
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area
from helpdesk.desk.forms import SettingsForm
from helpdesk.sla.models import Calendar

MOST_AHEAD = 20
MOST_SLOTS = 8


class HoursForm(SettingsForm):
    is_on = forms.BooleanField(
        required=False,
        label=gettext_lazy("Chats can be booked"),
        help_text=gettext_lazy("Offered to customers whose plan includes no live chat."),
    )
    calendar = forms.ModelChoiceField(
        Calendar.objects.order_by("name"),
        required=False,
        label=gettext_lazy("Within the hours of"),
        empty_label=gettext_lazy("The office"),
    )
    seats = forms.IntegerField(
        min_value=1,
        max_value=100,
        label=gettext_lazy("Chats at the same time"),
        help_text=gettext_lazy("How many can be booked for one half hour."),
    )
    lead_minutes = fields.DurationField(
        label=gettext_lazy("Not sooner than"), help_text=gettext_lazy("From now, such as 1 h; at least 20 min.")
    )
    days = forms.IntegerField(min_value=1, max_value=28, label=gettext_lazy("Days ahead"))

    def clean_lead_minutes(self) -> int:
        minutes: int = self.cleaned_data["lead_minutes"]
        if not 20 <= minutes <= 10_080:
            raise forms.ValidationError(gettext_lazy("Write a time between 20 minutes and a week."))
        return minutes

    def write(self, *, at: datetime) -> BookingHours:
        return booking_hours.save(self.cleaned_data)


class Hours(Area):
    key, model, form = "hours", BookingHours, HoursForm
    is_single = True
    adds = edits = removes = False
    template = "settings/chat_hours.jinja"

    def only(self) -> BookingHours:
        return booking_hours.current()

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        at, user = now(), request.user
        assert isinstance(user, User), "the settings are the admin's"
        ahead = Booking.objects.select_related("customer").filter(state=Booking.State.BOOKED, ends_at__gt=at)
        seen = set(visible_conversations(user).filter(bookings__in=ahead).values_list("pk", flat=True))
        return {
            "offered": booking_hours.offered(at=at)[:MOST_SLOTS],
            "ahead": [one for one in ahead.order_by("starts_at", "seat")[:MOST_AHEAD] if one.conversation_id in seen],
        }


HOURS = Hours()
