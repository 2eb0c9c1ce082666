"""Canned replies, saved views, tags and custom fields."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from helpdesk.conversations.models import CustomField, Priority, Status, Tag
from helpdesk.customers.agents import active, offered
from helpdesk.customers.models import Team, User
from helpdesk.customers.permissions import may_configure, may_work
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SettingsForm
from helpdesk.desk.named import NamedField
from helpdesk.numbers import is_number
from tickets.desk import filters, kept, tags, variables
from tickets.desk.models import CannedReply, SavedView, Shared
from tickets.desk.wording import labels

LONGEST_TEXT = 20_000


class SharedForm(SettingsForm):
    """Something kept for oneself, a team or everybody."""

    audience = forms.ChoiceField(label=gettext_lazy("For"))
    OWN = True

    def arrange(self) -> None:
        user = self.request.user
        assert isinstance(user, User), "agent_view"
        teams = Team.objects.all() if may_configure(user) else user.teams.all()
        choices = [("me", _("Me alone"))] if self.OWN else []
        choices += [(str(team.pk), _("Team %s") % team.name) for team in teams]
        if may_configure(user):
            choices.append(("all", _("Everybody")))
        field = self.fields["audience"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def values(self, found: Shared | None) -> dict[str, Any]:
        if found is None:
            return {}
        audience = "me" if found.owner_id else str(found.team_id or "all")
        return {**super().values(found), "audience": audience}

    def keep(self, row: Shared, *, at: datetime) -> None:
        """Write whom it is for and when it was changed."""
        audience = self.cleaned_data["audience"]
        user = self.request.user
        assert isinstance(user, User), "agent_view"
        row.owner = user if audience == "me" else None
        row.team = Team.objects.get(pk=int(audience)) if audience.isdecimal() else None
        row.updated_at = at


class SharedArea(Area):
    """Rows for oneself, a team or everybody: one sees one's own, one's teams' and everybody's."""

    order = ("name", "id")

    def rows(self, user: User) -> QuerySet[Any]:
        model: Any = self.model
        return kept.seen_by(user, model).select_related("owner", "team")

    def may_add(self, user: User) -> bool:
        return may_work(user)

    def may_change(self, user: User, found: Any) -> bool:
        return kept.may_change(user, found)

    def whose(self, found: Shared) -> tuple[Any, str]:
        if found.owner_id is not None:
            return _("Me alone"), ""
        return (found.team.name, "info") if found.team else (_("Everybody"), "acc")


class CannedForm(SharedForm):
    sections = (("", ("name", "shortcut", "audience", "text")),)
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    shortcut = forms.SlugField(
        max_length=40,
        label=gettext_lazy("Called by"),
        help_text=gettext_lazy("Type / and this word while you write: letters, digits and dashes."),
    )
    text = forms.CharField(
        max_length=LONGEST_TEXT, strip=False, label=gettext_lazy("Text"), widget=forms.Textarea(attrs={"rows": 8})
    )

    def arrange(self) -> None:
        super().arrange()
        known = ", ".join(f"{{{{ {name} }}}}" for name in variables.VARIABLES[:4])
        self.fields["text"].help_text = _("These are filled in: %s and others.") % known

    def clean_shortcut(self) -> str:
        return str(self.cleaned_data["shortcut"]).lower()

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"])
        try:
            return variables.check(text)
        except variables.UnknownVariable as error:
            words = _("Nothing can be filled in for %(strange)s. There are: %(known)s.")
            known = ", ".join(variables.VARIABLES)
            raise forms.ValidationError(words % {"strange": error, "known": known}) from error

    def write(self, *, at: datetime) -> CannedReply:
        reply: CannedReply = self.found or CannedReply()
        for name in ("name", "shortcut", "text"):
            setattr(reply, name, self.cleaned_data[name])
        self.keep(reply, at=at)
        same = CannedReply.objects.filter(shortcut__iexact=reply.shortcut, owner=reply.owner, team=reply.team)
        if same.exclude(pk=reply.pk).exists():
            raise Refused(_("Another reply is called by this word."), "shortcut")
        reply.save()
        return reply


class Canned(SharedArea):
    key, model, form = "canned", CannedReply, CannedForm
    is_own = True
    searches = ("name", "shortcut", "text")
    add_words = gettext_lazy("Add reply")
    empty = (
        gettext_lazy("No canned reply yet"),
        gettext_lazy("A text you write again and again: type / and its word to begin a reply with it."),
    )

    def row(self, found: Any, user: User) -> Row:
        meta = f"/{found.shortcut} · {' '.join(found.text.split())[:120]}"
        return Row(found.pk, found.name, meta, [self.whose(found)], "quote", opens=self.may_change(user, found))


class ViewForm(SharedForm):
    OWN = False
    sections = (
        ("", ("name", "audience", "newest_first")),
        (
            gettext_lazy("What it shows"),
            (
                "status",
                "priority",
                "channel",
                "assignee",
                "assignee_name",
                "team",
                "tag",
                "at_risk",
                "mentioned",
                "snoozed",
                "spam",
            ),
        ),
    )
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    newest_first = forms.BooleanField(
        required=False,
        label=gettext_lazy("Newest first"),
        help_text=gettext_lazy("Else what is due first comes first."),
    )
    status = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Status"), widget=forms.CheckboxSelectMultiple
    )
    priority = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Priority"), widget=forms.CheckboxSelectMultiple
    )
    channel = forms.MultipleChoiceField(
        required=False, label=gettext_lazy("Channel"), widget=forms.CheckboxSelectMultiple
    )
    assignee = forms.ChoiceField(required=False, label=gettext_lazy("Assigned to"))
    team = forms.ChoiceField(required=False, label=gettext_lazy("Of team"))
    tag = fields.LinesField(
        required=False, label=gettext_lazy("Tagged"), widget=forms.TextInput(), help_text=gettext_lazy("Any of these.")
    )
    at_risk = forms.BooleanField(required=False, label=gettext_lazy("Only what is at risk of being late"))
    mentioned = forms.BooleanField(required=False, label=gettext_lazy("Only where I am mentioned"))
    snoozed = forms.BooleanField(required=False, label=gettext_lazy("Only what is snoozed"))
    spam = forms.BooleanField(required=False, label=gettext_lazy("Only spam"))
    FILTERS = ("status", "priority", "channel", "assignee", "team", "tag", "at_risk", "mentioned", "snoozed", "spam")

    def arrange(self) -> None:
        super().arrange()
        names = labels(get_language())
        has = str(self.initial.get("assignee", ""))
        people = offered(int(has) if is_number(has) else None)
        if people.are_many:
            self.fields["assignee_name"] = NamedField(active(), required=False, label=_("Another assignee"))
        choices: dict[str, list[tuple[str, Any]]] = {
            "status": [(code, names["status"][code]) for code in Status.values],
            "priority": [(code, names["priority"][code]) for code in Priority.values],
            "channel": [(code, names["channel"][code]) for code in ("email", "form", "chat", "phone", "api")],
            "assignee": [
                ("", _("Anybody or nobody")),
                ("me", _("Whoever looks")),
                ("none", _("Nobody")),
                *((str(key), name) for key, name in people.agents),
            ],
            "team": [
                ("", _("Any")),
                ("mine", _("The teams of whoever looks")),
                ("none", _("None")),
                *((str(team.pk), team.name) for team in Team.objects.all()),
            ],
        }
        for name, known in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = known

    def values(self, found: Any) -> dict[str, Any]:
        given = super().values(found)
        asked = found.filters if found else {"status": ["new", "open"]}
        shown = {name: asked[name] for name in self.FILTERS if name in asked}
        return {**given, **shown, "tag": ", ".join(shown.get("tag", []))}

    def write(self, *, at: datetime) -> SavedView:
        view: SavedView = self.found or SavedView()
        asked = {name: self.cleaned_data[name] for name in self.FILTERS}
        if other := self.cleaned_data.get("assignee_name"):
            asked["assignee"] = str(other.pk)
        # What this form has no field for was asked for in the inbox, and stays.
        others = {name: value for name, value in view.filters.items() if name not in self.FILTERS}
        try:
            view.filters = filters.cleaned({**others, **{name: value for name, value in asked.items() if value}})
        except filters.BadFilter as error:
            raise Refused(str(error)) from error
        view.name, view.newest_first = self.cleaned_data["name"], self.cleaned_data["newest_first"]
        self.keep(view, at=at)
        view.save()
        return view


class Views(SharedArea):
    key, model, form = "views", SavedView, ViewForm
    add_words = gettext_lazy("Add view")
    empty = (
        gettext_lazy("No shared view yet"),
        gettext_lazy("A part of the inbox under a name, for a team or everybody. Agents keep their own in the inbox."),
    )

    def rows(self, user: User) -> QuerySet[Any]:
        return super().rows(user).filter(owner=None)

    def row(self, found: Any, user: User) -> Row:
        return Row(found.pk, found.name, _said(found.filters), [self.whose(found)], "bookmark")


def _said(asked: dict[str, Any]) -> str:
    """A filter in a line of words."""
    names = labels(get_language())
    parts = []
    for name in ("status", "priority", "channel"):
        parts += [", ".join(names[name][code] for code in asked[name])] if name in asked else []
    parts += [f"#{tag}" for tag in asked.get("tag", [])]
    return " · ".join(parts) or _("everything")


class TagForm(SettingsForm):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))

    def arrange(self) -> None:
        if self.found is not None:
            self.fields["name"].help_text = _("The name of another tag makes the two one; it keeps all conversations.")

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).lower().split())
        if "," in name:
            raise forms.ValidationError(_("A comma separates tags; it cannot stand in one."))
        if self.found is None and Tag.objects.filter(name=name).exists():
            raise forms.ValidationError(_("There is a tag of this name."))
        return name

    def write(self, *, at: datetime) -> Tag:
        name = self.cleaned_data["name"]
        return Tag.objects.create(name=name) if self.found is None else tags.rename(self.found, name)


class Tags(Area):
    key, model, form = "tags", Tag, TagForm
    order = ("name",)
    searches = ("name",)
    add_words = gettext_lazy("Add tag")
    empty = (
        gettext_lazy("No tag yet"),
        gettext_lazy("Agents add them to conversations; they appear here by themselves."),
    )
    remove_words = gettext_lazy("It is taken off all conversations. They stay.")

    def row(self, found: Any, user: User) -> Row:
        return Row(found.pk, found.name, "", [], "tag")


class FieldForm(SettingsForm):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    key = forms.SlugField(
        max_length=40,
        required=False,
        label=gettext_lazy("Key"),
        help_text=gettext_lazy("What the API calls it. Made of the name where empty; it stays as it is then."),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Holds"),
        choices=[
            ("text", gettext_lazy("Text")),
            ("number", gettext_lazy("A number")),
            ("choice", gettext_lazy("One of a list")),
            ("date", gettext_lazy("A date")),
            ("yes_no", gettext_lazy("Yes or no")),
        ],
    )
    choices = fields.LinesField(
        required=False, label=gettext_lazy("The list"), help_text=gettext_lazy("One choice a line.")
    )
    is_required = forms.BooleanField(
        required=False, label=gettext_lazy("Must be filled in before a conversation is resolved")
    )
    is_active = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Shown"))
    position = forms.IntegerField(
        min_value=0, max_value=10_000, initial=0, label=gettext_lazy("Place"), help_text=gettext_lazy("Lower is first.")
    )

    def arrange(self) -> None:
        if self.found is not None:
            # What is filled in already is kept under the key, and is of the kind.
            self.fields["key"].disabled = self.fields["kind"].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("kind") == CustomField.Kind.CHOICE and not cleaned.get("choices"):
            self.add_error("choices", _("Write the choices, one a line."))
        if any(len(choice) > 80 for choice in cleaned.get("choices", ())):
            self.add_error("choices", _("A choice has at most 80 characters."))
        if self.found is None and "name" in cleaned:
            cleaned["key"] = (cleaned.get("key") or slugify(cleaned["name"])).replace("-", "_")[:40]
            if not cleaned["key"] or CustomField.objects.filter(key=cleaned["key"]).exists():
                self.add_error("key", _("Give a key that no other field has."))
        return cleaned

    def write(self, *, at: datetime) -> CustomField:
        field: CustomField = self.found or CustomField()
        for name in self.base_fields:
            setattr(field, name, self.cleaned_data[name])
        field.save()
        return field


class Fields(Area):
    key, model, form = "fields", CustomField, FieldForm
    order = ("position", "name", "id")
    add_words = gettext_lazy("Add field")
    empty = (
        gettext_lazy("No custom field yet"),
        gettext_lazy("A fact you want on every conversation, such as an order's number."),
    )
    remove_words = gettext_lazy("It is shown nowhere any more. To keep it for reports, make it “not shown” instead.")

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [] if found.is_active else [(_("Not shown"), "")]
        if found.is_required:
            marks.append((_("Required"), "warn"))
        kinds = dict(FieldForm.base_fields["kind"].choices)  # type: ignore[attr-defined]
        return Row(found.pk, found.name, f"{kinds[found.kind]} · {found.key}", marks, "table")


AREAS = (Canned(), Views(), Tags(), Fields())
