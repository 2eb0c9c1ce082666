"""How an agent chats: how many at once, what about, under which name, and with which picture."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.utils.translation import gettext_lazy as _

from chat.agents import LONGEST_SKILL, MOST_CAPACITY, MOST_SKILLS
from chat.models import ChatAgent

FIELDS = ("capacity", "skills", "is_shown", "public_name", "enter_sends")


class ProfileForm(forms.Form):
    """What one says of oneself; the picture is checked by itself."""

    public_name = forms.CharField(
        max_length=80,
        required=False,
        label=_("Name that customers see"),
        help_text=_("Empty: your first name."),
    )
    is_shown = forms.BooleanField(
        required=False, label=_("Show me"), help_text=_("Customers see your name and picture before they write.")
    )
    capacity = forms.IntegerField(
        min_value=1, max_value=MOST_CAPACITY, label=_("Chats at once"), help_text=_("More are not offered to you.")
    )
    skills = SimpleArrayField(
        forms.CharField(max_length=LONGEST_SKILL),
        required=False,
        max_length=MOST_SKILLS,
        label=_("Skills"),
        help_text=_("Tags and languages, such as “billing, de”: such chats are offered to you before others."),
    )
    enter_sends = forms.BooleanField(
        required=False, label=_("Enter sends in live chats"), help_text=_("Shift and Enter begin a new line.")
    )

    def clean_skills(self) -> list[str]:
        return skills_of(self.cleaned_data["skills"])


def skills_of(given: list[str]) -> list[str]:
    """Small letters, each once, in the order given."""
    return list(dict.fromkeys(skill.replace("\x00", "").strip().lower() for skill in given if skill.strip()))


def save(agent: ChatAgent, values: Mapping[str, Any]) -> ChatAgent:
    """Set these of FIELDS, and `picture` where it is among them."""
    for name, value in values.items():
        setattr(agent, name, value)
    agent.save(update_fields=list(values))
    return agent
