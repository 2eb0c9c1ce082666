"""What the desk's form asks for about an article."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from helpdesk.customers.models import Organization, Plan
from helpdesk.desk.forms import dress
from helpdesk.desk.named import NamedManyField
from knowledge import bodies
from knowledge.addresses import NAMES
from knowledge.articles import Text
from knowledge.models import Article, Category, Translation, Visibility
from knowledge.models.articles import LONGEST_SLUG, LONGEST_TITLE

VISIBILITIES = (
    (Visibility.DRAFT.value, _("Draft: the team sees it in the list")),
    (Visibility.INTERNAL.value, _("Internal: the team answers with it")),
    (Visibility.PUBLIC.value, _("Public: customers read it")),
)


class ArticleForm(forms.Form):
    """An article in one language. Drawn as the settings' forms are."""

    use_required_attribute = False
    language = forms.ChoiceField(choices=NAMES, label=_("Language"))
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    title = forms.CharField(max_length=LONGEST_TITLE, label=_("Title"))
    body = forms.CharField(
        max_length=bodies.MOST_CHARACTERS, required=False, strip=False, label=_("Text"),
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "true"}),
        help_text=_("Markdown. Pictures and files can be pasted and dropped. > [!NOTE] begins a callout."),
    )  # fmt: skip
    summary = forms.CharField(
        max_length=300, required=False, label=_("Summary"), help_text=_("One sentence, for lists and search engines.")
    )
    keywords = forms.CharField(
        max_length=300, required=False, label=_("Search words"),
        help_text=_("What people call it who do not know our words."),
    )  # fmt: skip
    slug = forms.SlugField(
        max_length=LONGEST_SLUG, required=False, label=_("Address"),
        help_text=_("Made of the title where empty. Old addresses go on leading here."),
    )  # fmt: skip
    visibility = forms.ChoiceField(choices=VISIBILITIES, label=_("Who sees it"))
    category = forms.ModelChoiceField(Category.objects.all(), required=False, label=_("Category"))
    organizations = NamedManyField(
        Organization.objects.all(), required=False, label=_("Only for these organizations"),
        help_text=_("Names, one a line."),
    )  # fmt: skip
    plans = NamedManyField(
        Plan.objects.all(), required=False, label=_("Only for these plans"), help_text=_("Names, one a line.")
    )
    position = forms.IntegerField(
        min_value=0, max_value=1_000_000, required=False, label=_("Place"),
        help_text=_("Smaller numbers stand further up."),
    )  # fmt: skip
    takes_comments = forms.BooleanField(required=False, label=_("Readers may comment"))

    def __init__(self, *args: Any, found: Article | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.found = found
        for field in self.fields.values():
            dress(field)
        if found is not None:
            self.fields["language"].widget = forms.HiddenInput()

    @staticmethod
    def values(row: Article, shown: Translation | None, language: str) -> dict[str, Any]:
        """The article as initial values; a language that is missing begins empty."""
        names = ("title", "body", "summary", "keywords", "slug", "version") if shown is not None else ()
        return {
            **{name: getattr(shown, name) for name in names},
            "language": shown.language if shown is not None else language,
            "visibility": row.visibility,
            "category": row.category_id,
            "organizations": list(row.organizations.values_list("pk", flat=True)),
            "plans": list(row.plans.values_list("pk", flat=True)),
            "position": row.position,
            "takes_comments": row.takes_comments,
        }

    def text(self) -> Text:
        """What stands in it. An address that nobody has touched follows the title."""
        given = self.cleaned_data
        slug = given["slug"] if "slug" in self.changed_data else ""
        return Text(given["title"], given["body"], given["language"], given["summary"], given["keywords"], slug)

    def changes(self) -> dict[str, Any]:
        """What its languages have in common."""
        given = self.cleaned_data
        return {
            "visibility": given["visibility"],
            "category": given["category"],
            "position": given["position"] or 0,
            "takes_comments": given["takes_comments"],
        }

    def limits(self) -> dict[str, Any]:
        return {"organizations": self.cleaned_data["organizations"], "plans": self.cleaned_data["plans"]}

    def common(self) -> dict[str, Any]:
        """For a new one: what is asked for besides its text."""
        return {
            "visibility": self.cleaned_data["visibility"],
            "category": self.cleaned_data["category"],
            **self.limits(),
        }

    def drawn(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    def problems(self) -> list[tuple[str, str, str]]:
        """For the summary on top: the field's id, its label, what is wrong with it."""
        found = [("", "", str(error)) for error in self.non_field_errors()]
        for bound in self:
            found += [(bound.auto_id, str(bound.label), str(error)) for error in bound.errors]
        return found
