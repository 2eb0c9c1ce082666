"""The categories that articles lie in."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from helpdesk.customers.models import User
from helpdesk.desk.areas import Area, Found, Row
from helpdesk.desk.forms import Refused, SettingsForm
from knowledge import categories, refusals
from knowledge.models import Article, Category
from knowledge.models.articles import LONGEST_SLUG

# Pictures of the sprite that say something about a category.
ICONS = (
    ("folder", _("Folder")),
    ("globe", _("Globe")),
    ("layout-grid", _("Tiles")),
    ("mail", _("Envelope")),
    ("server", _("Server")),
    ("shield", _("Shield")),
    ("key-round", _("Key")),
    ("users", _("People")),
    ("receipt-text", _("Bill")),
    ("wrench", _("Wrench")),
    ("book-open", _("Book")),
)


class CategoryForm(SettingsForm):
    """A name and a sentence in each language; the fields are made of the languages there are."""

    parent = forms.ModelChoiceField(
        Category.objects.all(), required=False, label=_("Lies in"), empty_label=_("No other category")
    )
    slug = forms.SlugField(
        max_length=LONGEST_SLUG, required=False, label=_("Address"), help_text=_("Made of the name where empty.")
    )
    icon = forms.ChoiceField(choices=ICONS, required=False, label=_("Picture"))
    position = forms.IntegerField(
        min_value=0, max_value=1_000_000, initial=0, label=_("Place"),
        help_text=_("Smaller numbers stand further up."),
    )  # fmt: skip

    def prepare(self) -> None:
        names = [f"name_{code}" for code, _name in settings.LANGUAGES]
        about = [f"about_{code}" for code, _name in settings.LANGUAGES]
        self.sections = (  # type: ignore[misc]
            (_("Name"), tuple(names)),
            (_("In a sentence"), tuple(about)),
            (_("Where it stands"), ("parent", "position", "icon", "slug")),
        )

    def values(self, found: Any) -> dict[str, Any]:
        known = super().values(found) if isinstance(found, Model) else {}
        for code, _name in settings.LANGUAGES if found is not None else ():
            known[f"name_{code}"] = found.names.get(code, "")
            known[f"about_{code}"] = found.about.get(code, "")
        return known

    def arrange(self) -> None:
        for code, called in settings.LANGUAGES:
            self.fields[f"name_{code}"] = forms.CharField(max_length=120, required=False, label=called)
            self.fields[f"about_{code}"] = forms.CharField(max_length=500, required=False, label=called)

    def write(self, *, at: datetime) -> Category:
        given = dict(self.cleaned_data)
        texts: dict[str, dict[str, str]] = {"names": {}, "about": {}}
        for code, _name in settings.LANGUAGES:
            for name, kept in (("name", "names"), ("about", "about")):
                if words := given.pop(f"{name}_{code}"):
                    texts[kept][code] = words
        try:
            return categories.save(self.found, {**given, **texts}, at=at)
        except refusals.Refused as error:
            raise Refused(str(error)) from error


class Categories(Area):
    key, model, form = "kb", Category, CategoryForm
    order = ("position", "id")
    searches = ("slug",)
    add_words = _("Add category")
    empty = (_("No category yet"), _("Categories are what the help centre shows first: domains, mail, billing."))
    remove_words = _("One that anything lies in stays.")
    MOST = 1_000

    def row(self, found: Any, user: User) -> Row:
        count = Article.objects.filter(category=found).count()
        told = ngettext("%(num)s article", "%(num)s articles", count) % {"num": count}
        return Row(found.pk, str(found), told, [], found.icon or "folder")

    def rows(self, user: User) -> QuerySet[Category]:
        return Category.objects.all()

    def list(self, user: User, query: str, after: int) -> Found:
        """As a tree; what was searched for, and what is too much for that, as a plain list."""
        if query or after or Category.objects.count() > self.MOST:
            return super().list(user, query, after)
        counts: dict[int, int] = {}
        for pk in Article.objects.exclude(category=None).values_list("category", flat=True):
            counts[pk] = counts.get(pk, 0) + 1
        rows: list[Row] = []

        def add(branches: "list[categories.Branch]", depth: int) -> None:
            for one in branches:
                told = ngettext("%(num)s article", "%(num)s articles", one.count) % {"num": one.count}
                rows.append(Row(one.category.pk, str(one.category), told, [], one.category.icon or "folder", depth))
                add(one.children, depth + 1)

        add(categories.tree(counts), 0)
        return Found(rows, 0)

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        categories.remove(found, at=at)


CATEGORIES = Categories()
