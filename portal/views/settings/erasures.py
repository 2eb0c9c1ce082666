"""The area "Forgetting": customers who asked for it; an admin confirms once the days to take it back are over."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import localtime, now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from portal import erasing
from portal.models import Erasure


class Erasures(Area):
    key, model, form = "erasures", Erasure, SettingsForm
    order = ("due_at", "customer_id")
    adds = edits = False
    is_noted_here = False
    empty = (
        gettext_lazy("Nobody asked to be forgotten"),
        gettext_lazy("Customers ask for it in the portal, and may take it back for seven days."),
    )
    remove_words = gettext_lazy(
        "Name, addresses, messages and files of this customer are removed for good. That there were conversations, and "
        "when, stays."
    )
    remove_button = gettext_lazy("Forget")

    def rows(self, user: User) -> QuerySet[Erasure]:
        return Erasure.objects.select_related("customer").filter(done_at=None)

    def row(self, found: Any, user: User) -> Row:
        due = f"{localtime(found.due_at):%Y-%m-%d %H:%M}"
        is_due = found.due_at <= now()
        marks: list[tuple[Any, str]] = [(_("To be confirmed"), "warn")] if is_due else []
        return Row(found.pk, str(found.customer), _("from %(when)s") % {"when": due}, marks, "user-x", opens=is_due)

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        try:
            erasing.confirm(found.pk, user, at=at)
        except erasing.NotDue:
            raise Refused(gettext_lazy("The days to take it back are not over.")) from None


ERASURES = Erasures()
