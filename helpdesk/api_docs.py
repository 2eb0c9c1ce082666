"""`/api/docs/`: the operations of the schema as a plain page; no script, nothing from elsewhere."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a query or a field of a body."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    method: str
    path: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    statuses: tuple[str, ...]


def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html", {"groups": groups()})


@lru_cache(maxsize=1)
def groups() -> tuple[tuple[str, tuple[Operation, ...]], ...]:
    """The operations by the first part of their address. The schema is the code's, so it is read once."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        name = path.removeprefix("/api/v1/").split("/")[0] if path.startswith("/api/v1/") else "schema"
        for method in METHODS:
            if method in methods:
                found.setdefault(name, []).append(_operation(method, path, methods[method], schema))
    return tuple((name, tuple(operations)) for name, operations in found.items())


def _operation(method: str, path: str, described: dict[str, Any], schema: dict[str, Any]) -> Operation:
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        method=method.upper(),
        path=path,
        description=described.get("description", ""),
        parameters=tuple(
            Field(p["name"], _type(p["schema"]), p.get("required", False), p.get("description", ""))
            for p in described.get("parameters", [])
            if p["in"] == "query"
        ),
        body=_fields(_resolved(content.get("schema", {}), schema)),
        statuses=tuple(described.get("responses", {})),
    )


def _resolved(shape: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = shape.get("$ref", "").removeprefix("#/components/schemas/")
    resolved: dict[str, Any] = schema["components"]["schemas"].get(name, shape)
    return resolved


def _fields(shape: dict[str, Any]) -> tuple[Field, ...]:
    required = shape.get("required", [])
    return tuple(
        Field(name, _type(field), name in required, field.get("description", ""))
        for name, field in shape.get("properties", {}).items()
        if not field.get("readOnly")
    )


def _type(shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return " | ".join(str(value) for value in shape["enum"])
    if "type" in shape:
        return f"{_type(shape['items'])}[]" if shape["type"] == "array" else str(shape.get("format", shape["type"]))
    choices = shape.get("oneOf") or shape.get("allOf") or []
    named = [_type(choice) for choice in choices] or [shape.get("$ref", "any").rsplit("/", 1)[-1]]
    return " | ".join(dict.fromkeys(named))
