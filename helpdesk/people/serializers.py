"""Agents, as the API shows and takes them."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from helpdesk.customers.api_fields import TimeZone
from helpdesk.customers.models import User
from helpdesk.customers.permissions import agent_of
from helpdesk.events.actors import Actor
from helpdesk.people import actions as people


class AgentSerializer(serializers.ModelSerializer[User]):
    email = serializers.EmailField(max_length=254)
    timezone = TimeZone(required=False)
    password = serializers.CharField(
        write_only=True, required=False, max_length=200, help_text="Without one a new agent is invited by mail."
    )

    class Meta:
        model = User
        fields = ["id", "email", "name", "role", "timezone", "language", "is_active", "teams", "created_at", "password"]
        read_only_fields = ["created_at"]

    def validate_email(self, email: str) -> str:
        others = User.objects.filter(email__iexact=email)
        if self.instance is not None:
            others = others.exclude(pk=self.instance.pk)
        if others.exists():
            raise serializers.ValidationError(_("There is an agent with this address."))
        return email.lower()

    def validate_password(self, password: str) -> str:
        try:
            validate_password(password)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error
        return password

    def create(self, validated_data: Mapping[str, Any]) -> User:
        return self._save(User(), validated_data)

    def update(self, instance: User, validated_data: Mapping[str, Any]) -> User:
        return self._save(instance, validated_data)

    def _save(self, agent: User, fields: Mapping[str, Any]) -> User:
        actor = Actor.agent(agent_of(self.context["request"]))
        try:
            return people.save_agent(agent, fields, actor=actor, at=timezone.now())
        except people.LastAdmin as error:
            raise serializers.ValidationError(str(error)) from error
