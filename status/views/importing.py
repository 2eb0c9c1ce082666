"""Many subscribers at once, for admins: a list is pasted or given as a file."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from helpdesk.customers import audit
from helpdesk.customers.permissions import may_configure
from helpdesk.desk.pages import AgentRequest, agent_view, page
from status import importing
from status.importing import Imported, NotAList
from status.models import Subscriber
from status.views.asked import Asked


class ImportForm(Asked):
    """A list, and whether those on it have agreed."""

    file = forms.FileField(label=_("File"), required=False, help_text=_("CSV, as other status pages export it."))
    text = forms.CharField(
        label=_("Or the list itself"), required=False, strip=False, max_length=importing.MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_(
            "One address a line; or a table with “email” over the addresses, and perhaps “language” and “components”."
        ),
    )  # fmt: skip
    consent = forms.CharField(
        label=_("Where they have agreed"),
        required=False,
        max_length=140,
        help_text=_(
            "Such as “double opt-in on our old status page”. It is kept with each of them, with your name, and they "
            "are told at once. Left empty, each gets a mail that asks, and is told nothing before they say yes."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if file is not None and file.size > importing.MOST_BYTES:
            self.add_error("file", _("That file is too large."))
        elif file is not None:
            cleaned["text"] = file.read().decode(errors="replace")
        if not self.errors and not cleaned.get("text", "").strip():
            self.add_error("text", _("There is no list."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def subscribers(request: AgentRequest) -> HttpResponse:
    """GET asks for a list, POST adds those on it and says what became of them."""
    if not may_configure(request.user):
        raise PermissionDenied
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    found = _imported(request, form) if form.is_bound and form.is_valid() else None
    problems = form.problems() if form.is_bound else []
    return page(
        request,
        "subscribers_import.jinja",
        status=422 if problems else 200,
        form=form if found is None else ImportForm(),
        problems=problems,
        found=found,
    )


def _imported(request: AgentRequest, form: ImportForm) -> Imported | None:
    given, at = form.cleaned_data, now()
    try:
        found = importing.import_all(given["text"], request.user, consent=given["consent"], at=at)
    except NotAList as error:
        form.add_error("text", str(error))
        return None
    note(request.user.pk, found, given["consent"])
    return found


def note(user_id: int, found: Imported, consent: str) -> None:
    """What was imported, in the audit log."""
    after = {"imported": found.made, "consent": consent}
    audit.record(user_id, "created", Subscriber(pk=0), {}, after, at=now(), thing_id=0)
