"""The company's own page."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpdesk.customers import audit
from helpdesk.customers.company import Company, company, save_company
from helpdesk.desk.forms import SettingsForm
from tickets.views.access import AgentRequest
from tickets.views.settings import generic
from tickets.views.settings.access import admin_view


class CompanyForm(SettingsForm):
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"), help_text=gettext_lazy("As customers know you."))
    logo_text = forms.CharField(
        max_length=40,
        required=False,
        label=gettext_lazy("Logo's text"),
        help_text=gettext_lazy("A short form of the name; the name itself where empty."),
    )
    languages = forms.MultipleChoiceField(
        choices=settings.LANGUAGES,
        label=gettext_lazy("Languages"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Those you can answer in."),
    )

    def values(self, found: Any) -> dict[str, Any]:
        return super().values(found or company())

    def write(self, *, at: datetime) -> Company:
        return save_company(self.cleaned_data)


@admin_view
@require_http_methods(["GET", "HEAD", "POST"])
def company_page(request: AgentRequest) -> HttpResponse:
    form = CompanyForm(request, company(), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        save(request, form)
        messages.success(request, _("Saved."))
        return redirect("tickets:settings_company")
    return generic.show_form(request, "company", form, template="company", public_url=settings.PUBLIC_URL)


@transaction.atomic
def save(request: AgentRequest, form: CompanyForm) -> Company:
    before = audit.stored(company())
    saved = form.write(at=now())
    audit.record(request.user.pk, "changed" if before else "created", saved, before, audit.stored(saved), at=now())
    return saved


def routes() -> list[URLPattern]:
    return [path("desk/settings/company/", company_page, name="settings_company")]
