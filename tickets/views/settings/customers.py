"""Organizations, customers, plans and services."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from helpdesk.customers import serializers as customers
from helpdesk.customers.models import Customer, Organization, Plan, Service, User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Found, Row
from helpdesk.desk.forms import Refused, SerialForm, SettingsForm
from helpdesk.desk.named import NamedField, NamedManyField
from helpdesk.sla.models import Calendar, Policy

_CHANNELS = [
    ("chat", gettext_lazy("Chat on the website")),
    ("telegram", "Telegram"),
    ("whatsapp", "WhatsApp"),
    ("phone", gettext_lazy("Phone")),
]


class OrganizationForm(SerialForm):
    serializer = customers.OrganizationSerializer
    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    plan = forms.ModelChoiceField(Plan.objects.all(), label=gettext_lazy("Plan"))
    customer_since = forms.DateField(
        label=gettext_lazy("Customer since"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Real-time channels of the first days are counted from here."),
    )
    domains = fields.LinesField(
        required=False,
        label=gettext_lazy("Mail domains"),
        help_text=gettext_lazy("One a line, such as acme.example: whoever writes from there belongs here."),
    )
    notes = forms.CharField(
        required=False,
        max_length=20_000,
        label=gettext_lazy("Notes"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Agents see them beside every conversation."),
    )

    def arrange(self) -> None:
        if self.found is None:
            self.initial.setdefault("customer_since", timezone.localdate())
            default = Plan.objects.filter(is_default=True).first()
            self.initial.setdefault("plan", default.pk if default else None)


class Organizations(Area):
    key, model, form = "organizations", Organization, OrganizationForm
    searches = ("name",)
    add_words = gettext_lazy("Add organization")
    empty = (
        gettext_lazy("No organization yet"),
        gettext_lazy("A customer company with its plan. Whoever writes from its mail domain is recognised."),
    )
    remove_words = gettext_lazy("Its people and their conversations stay, without an organization.")
    template = "settings/organization.jinja"

    def rows(self, user: User) -> QuerySet[Organization]:
        return Organization.objects.select_related("plan")

    def row(self, found: Any, user: User) -> Row:
        return Row(found.pk, found.name, ", ".join(found.domains[:3]), [(found.plan.name, "acc")], "briefcase")

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        people = list(found.customers.order_by("name", "pk")[:10]) if found else []
        services = list(found.services.order_by("name")[:10]) if found else []
        return {"people": people, "services": services}


class CustomerForm(SerialForm):
    serializer = customers.CustomerSerializer
    sections = (
        (gettext_lazy("Who"), ("name", "email", "organization", "is_manager")),
        (gettext_lazy("Language and time"), ("language", "timezone")),
        (gettext_lazy("For agents"), ("notes", "is_blocked")),
    )
    name = forms.CharField(max_length=200, required=False, label=gettext_lazy("Name"))
    email = forms.EmailField(
        max_length=320,
        required=False,
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("Answers go there. Earlier addresses still find this person."),
    )
    organization = NamedField(
        Organization.objects.all(),
        required=False,
        label=gettext_lazy("Organization"),
        help_text=gettext_lazy("Its name, or the beginning of it."),
    )
    is_manager = forms.BooleanField(
        required=False,
        label=gettext_lazy("Manager"),
        help_text=gettext_lazy("Reads and answers the tickets of the whole organization in the portal."),
    )
    language = forms.CharField(max_length=10, required=False, label=gettext_lazy("Language"))
    timezone = fields.zone_field(required=False)
    notes = forms.CharField(
        required=False, max_length=20_000, label=gettext_lazy("Notes"), widget=forms.Textarea(attrs={"rows": 4})
    )
    is_blocked = forms.BooleanField(
        required=False,
        label=gettext_lazy("Blocked"),
        help_text=gettext_lazy("What they write is filed as blocked, unread and unanswered."),
    )

    def values(self, found: Any) -> dict[str, Any]:
        return {**super().values(found), "is_blocked": bool(found and found.blocked_at)}

    def payload(self) -> dict[str, Any]:
        given = super().payload()
        was = self.found.blocked_at if self.found else None
        given["blocked_at"] = (was or timezone.now()) if given.pop("is_blocked") else None
        return given


class Customers(Area):
    key, model, form = "customers", Customer, CustomerForm
    order = ("-id",)
    searches = ("name", "email")
    removes = False
    add_words = gettext_lazy("Add customer")
    empty = (
        gettext_lazy("No customer yet"),
        gettext_lazy("Whoever writes to you appears here by themselves. Add somebody by hand to write first."),
    )

    def rows(self, user: User) -> QuerySet[Customer]:
        return Customer.objects.select_related("organization")

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [(_("Blocked"), "bad")] if found.blocked_at else []
        of = found.organization.name if found.organization else ""
        meta = " · ".join(filter(None, [found.email if found.name else "", of]))
        return Row(found.pk, str(found), meta, marks, "user")


class PlanForm(SerialForm):
    serializer = customers.PlanSerializer
    sections = (
        ("", ("name", "policy", "support_hours", "urgent_when_closed", "is_default")),
        (gettext_lazy("Real-time channels"), ("realtime", "realtime_days", "realtime_channels")),
    )
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    policy = forms.ModelChoiceField(
        Policy.objects.all(),
        label=gettext_lazy("SLA policy"),
        help_text=gettext_lazy("How fast its customers are answered."),
    )
    support_hours = forms.ModelChoiceField(Calendar.objects.all(), label=gettext_lazy("Support hours"))
    urgent_when_closed = forms.BooleanField(
        required=False,
        label=gettext_lazy("Wakes the engineer"),
        help_text=gettext_lazy("Requests outside support hours call who is on call, as Enterprise SLA does."),
    )
    realtime = forms.ChoiceField(
        label=gettext_lazy("Included"),
        initial=Plan.Realtime.FIRST_DAYS,
        widget=forms.RadioSelect,
        choices=[
            (Plan.Realtime.ALWAYS.value, gettext_lazy("Always")),
            (Plan.Realtime.FIRST_DAYS.value, gettext_lazy("In a customer's first days")),
            (Plan.Realtime.NEVER.value, gettext_lazy("Never")),
        ],
    )
    realtime_days = forms.IntegerField(
        min_value=0, max_value=32_767, initial=30, label=gettext_lazy("How many first days")
    )
    realtime_channels = forms.MultipleChoiceField(
        choices=_CHANNELS, required=False, label=gettext_lazy("Channels"), widget=forms.CheckboxSelectMultiple
    )
    is_default = forms.BooleanField(
        required=False,
        label=gettext_lazy("Default plan"),
        help_text=gettext_lazy("For customers who belong to no organization."),
    )

    def arrange(self) -> None:
        # A channel that was added by the API stays a choice.
        known = {code for code, _words in _CHANNELS}
        more = [(code, code) for code in self.initial.get("realtime_channels", []) if code not in known]
        field = self.fields["realtime_channels"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [*_CHANNELS, *more]


class Plans(Area):
    key, model, form = "plans", Plan, PlanForm
    add_words = gettext_lazy("Add plan")
    empty = (
        gettext_lazy("No plan yet"),
        gettext_lazy("A plan ties customers to promises. Without one nothing is promised to anybody."),
    )

    def rows(self, user: User) -> QuerySet[Plan]:
        return Plan.objects.select_related("policy", "support_hours").annotate(size=Count("organizations"))

    def row(self, found: Any, user: User) -> Row:
        size = ngettext("%(count)s organization", "%(count)s organizations", found.size) % {"count": found.size}
        marks: list[tuple[Any, str]] = [(_("Default"), "acc")] if found.is_default else []
        if found.urgent_when_closed:
            marks.append((_("Wakes the engineer"), "warn"))
        meta = " · ".join([found.policy.name, found.support_hours.name, size])
        return Row(found.pk, found.name, meta, marks, "layers")

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        if found.is_default:
            raise Refused(_("Customers without a company need a default plan: make another one default first."))
        found.delete()


class ServiceForm(SerialForm):
    serializer = customers.ServiceSerializer
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[
            ("cluster", gettext_lazy("Cluster")),
            ("server", gettext_lazy("Server")),
            ("website", gettext_lazy("Website")),
        ],
    )
    name = forms.CharField(
        max_length=253, label=gettext_lazy("Name"), help_text=gettext_lazy("A host name, domain or a cluster's name.")
    )
    aliases = fields.LinesField(
        required=False,
        label=gettext_lazy("Also known as"),
        help_text=gettext_lazy("Other host names, domains and IP addresses, one a line. Mails that name one get it."),
    )
    parent = NamedField(
        Service.objects.exclude(kind=Service.Kind.WEBSITE),
        required=False,
        label=gettext_lazy("Lies in"),
        help_text=gettext_lazy("A cluster or server by its name."),
    )
    organizations = NamedManyField(
        Organization.objects.all(),
        required=False,
        label=gettext_lazy("Of these organizations"),
        help_text=gettext_lazy("Their names, one a line."),
    )


class Services(Area):
    key, model, form = "services", Service, ServiceForm
    searches = ("name",)
    add_words = gettext_lazy("Add service")
    empty = (
        gettext_lazy("No service yet"),
        gettext_lazy("What customers run with you. A mail that names one is tagged with it."),
    )
    remove_words = gettext_lazy("Conversations about it stay.")
    MOST = 2_000

    def row(self, found: Any, user: User) -> Row:
        also = ", ".join(found.aliases[:3])
        icons = {"cluster": "layers", "server": "server", "website": "globe"}
        return Row(found.pk, found.name, also, [], icons.get(found.kind, "server"))

    def list(self, user: User, query: str, after: int) -> Found:
        """All of it as a tree; what was searched for as a plain list, and so is what is too large for a tree."""
        if query or after or Service.objects.count() > self.MOST:
            return super().list(user, query, after)
        children: dict[int | None, list[Service]] = {}
        for service in Service.objects.order_by("name"):
            children.setdefault(service.parent_id, []).append(service)
        rows: list[Row] = []
        waiting = [(service, 0) for service in reversed(children.get(None, []))]
        while waiting:
            service, depth = waiting.pop()
            plain = self.row(service, user)
            rows.append(Row(plain.pk, plain.title, plain.meta, plain.marks, plain.icon, min(depth, 4)))
            waiting += [(child, depth + 1) for child in reversed(children.get(service.pk, []))]
        return Found(rows, 0)


AREAS = (Organizations(), Customers(), Plans(), Services())
