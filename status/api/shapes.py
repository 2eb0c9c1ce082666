"""Fields that components, incidents and maintenances share."""

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from status import components
from status.models import State

PUBLIC_ID: Final = "[a-z0-9]{12}"
MOST_COMPONENTS: Final = 500


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "string", "enum": list(State.values)}, "maxProperties": 500}
)
class ComponentStates(serializers.Field[Any, Any, Any, Any]):
    """States by components' public ids. `alike` is what a plain list of ids means."""

    def __init__(self, *, alike: str = "", **options: Any) -> None:
        self.alike = alike
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> dict[int, str]:
        if self.alike and isinstance(data, list):
            data = {one: self.alike for one in data if isinstance(one, str)}
        if not isinstance(data, Mapping) or len(data) > MOST_COMPONENTS:
            raise serializers.ValidationError(f"Give at most {MOST_COMPONENTS} states by the components' ids.")
        if not all(isinstance(one, str) for pair in data.items() for one in pair):
            raise serializers.ValidationError("Ids and states are texts.")
        try:
            return components.by_public_id(data)
        except ValueError as error:
            raise serializers.ValidationError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error

    def to_representation(self, value: Any) -> dict[str, str]:
        return {one.component.public_id: one.state for one in value.all()}
