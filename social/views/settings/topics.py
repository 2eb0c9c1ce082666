"""What may be answered in public, must move to private, or is never done by social."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.customers.models import User
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.fields import LinesField
from helpdesk.desk.forms import Refused, SettingsForm
from social.models import Topic

RULES = {
    Topic.Rule.PUBLIC: (gettext_lazy("In public"), "ok"),
    Topic.Rule.PRIVATE: (gettext_lazy("Moves to private"), "warn"),
    Topic.Rule.NEVER: (gettext_lazy("Never by social"), "bad"),
}


class TopicForm(SettingsForm):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    rule = forms.ChoiceField(
        choices=[(code, words) for code, (words, _tone) in RULES.items()],
        initial=Topic.Rule.PRIVATE,
        label=gettext_lazy("Answered"),
    )
    words = LinesField(
        required=False,
        label=gettext_lazy("Words"),
        help_text=gettext_lazy("One a line: a post with one of them is about this."),
    )
    guidance = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Guidance"),
        help_text=gettext_lazy("What agents read when a post is about this."),
    )
    answer = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("A public answer that moves it on"),
    )
    position = forms.IntegerField(
        min_value=0, max_value=10_000, initial=0, label=gettext_lazy("Order"),
        help_text=gettext_lazy("Where a post is about several, the lowest number rules."),
    )  # fmt: skip

    def clean_words(self) -> list[str]:
        words: list[str] = self.cleaned_data["words"]
        if any(len(word) > 80 for word in words):
            raise forms.ValidationError(_("A word has at most 80 characters."))
        return words

    def write(self, *, at: datetime) -> Topic:
        given = self.cleaned_data
        others = Topic.objects.exclude(pk=self.found.pk if self.found else 0)
        if others.filter(name=given["name"]).exists():
            raise Refused(_("There is a topic of this name."), "name")
        topic = self.found or Topic()
        for name, value in given.items():
            setattr(topic, name, value)
        topic.save()
        return topic


class Topics(Area):
    key, model, form = "public_topics", Topic, TopicForm
    order = ("position", "name", "id")
    searches = ("name",)
    add_words = gettext_lazy("Add topic")
    empty = (
        gettext_lazy("No topic yet"),
        gettext_lazy("Say what may be answered in public, and what never: agents read it beside the post."),
    )
    remove_words = gettext_lazy("Agents are no longer told of it.")

    def row(self, found: Any, user: User) -> Row:
        return Row(found.pk, found.name, ", ".join(found.words)[:160], [RULES[found.rule]], "megaphone")


TOPICS = Topics()
