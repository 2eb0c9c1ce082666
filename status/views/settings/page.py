"""The status page itself: its words on top, its time zone, where it is written to as files."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.desk import fields
from helpdesk.desk.areas import Area
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.oncall.wall_clock import zone
from status import addresses, pages
from status.models import StatusPage


class PageForm(SettingsForm):
    about = forms.CharField(
        required=False, max_length=10_000, label=gettext_lazy("On top of the page"),
        widget=forms.Textarea(attrs={"rows": 4}), help_text=gettext_lazy("Markdown; nothing stands there if empty."),
    )  # fmt: skip
    timezone = fields.zone_field(help_text=gettext_lazy("Days and times on the page are those of this zone."))
    export_to = forms.CharField(
        required=False, max_length=500, label=gettext_lazy("Write it to this folder"),
        help_text=gettext_lazy(
            "A folder of this server that another host serves: page and API are written there after every change."
        ),
    )  # fmt: skip

    def write(self, *, at: datetime) -> StatusPage:
        given = self.cleaned_data
        try:
            zone(given["timezone"])
        except ValueError as error:
            raise Refused(_("This is not a time zone such as Europe/Berlin."), "timezone") from error
        if given["export_to"] and not Path(given["export_to"]).is_absolute():
            raise Refused(_("Write the whole path, from the root on."), "export_to")
        row = pages.the_page(at)
        for name, value in given.items():
            setattr(row, name, value)
        row.save(update_fields=list(given))
        pages.changed(at)
        return row


class Page(Area):
    key, model, form = "status_page", StatusPage, PageForm
    is_single = True
    adds = edits = removes = False
    template = "settings/status_page.jinja"

    def only(self) -> StatusPage:
        return pages.the_page(now())

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        return {"public_url": addresses.page_url()}


PAGE = Page()
