"""Links that show the wallboard on a television: made, revoked, and when each was used last."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import Team, User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import SettingsForm
from tickets.desk import durations
from tickets.reports import wallboard
from tickets.reports.models import WallboardLink


class WallboardForm(SettingsForm):
    name = forms.CharField(
        max_length=80, label=gettext_lazy("Where it hangs"), help_text=gettext_lazy("Kitchen, reception, control room.")
    )
    team = forms.ModelChoiceField(
        queryset=Team.objects.filter(is_private=False),
        required=False,
        label=gettext_lazy("Whose numbers"),
        empty_label=gettext_lazy("All teams that are not private"),
        help_text=gettext_lazy("Numbers only: nobody's words, and no customer's name."),
    )

    def write(self, *, at: datetime) -> WallboardLink:
        said = self.cleaned_data
        assert isinstance(self.request.user, User), "admin_view"
        link, token = wallboard.make_link(said["name"], self.request.user, at=at, team=said["team"])
        self.shown_once = f"{settings.PUBLIC_URL}{reverse('tickets:wallboard_link', args=[token])}"
        return link


class Wallboards(Area):
    key, model, form = "wallboards", WallboardLink, WallboardForm
    order = ("name", "id")
    edits = False
    add_words = gettext_lazy("Create link")
    empty = (
        gettext_lazy("No link yet"),
        gettext_lazy("A television shows the wallboard by a link, without a login. It ends when you revoke it."),
    )
    remove_words = gettext_lazy("The television shows nothing any more, at once.")
    remove_button = gettext_lazy("Revoke")

    def rows(self, user: User) -> QuerySet[WallboardLink]:
        return WallboardLink.objects.filter(revoked_at=None).select_related("team", "created_by")

    def row(self, found: Any, user: User) -> Row:
        used = durations.ago(found.used_at, timezone.now()) if found.used_at else ""
        said = [
            found.team.name if found.team else _("All teams that are not private"),
            _("last used: %s") % used if used else _("never used"),
            _("made by %(who)s on %(day)s") % {"who": found.created_by, "day": f"{found.created_at:%Y-%m-%d}"},
        ]
        marks: list[tuple[Any, str]] = []
        if not found.created_by.is_active:
            marks.append((_("Ended: who made it has left"), "bad"))
        elif found.team and found.team.is_private:
            marks.append((_("Ended: the team is private now"), "bad"))
        return Row(found.pk, found.name, " · ".join(said), marks, "monitor")

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        wallboard.revoke_link(found.pk, at=at)


AREAS = (Wallboards(),)
