"""How the API's schema tells of refusals: the same ones everywhere, so they are said once, for every operation that can
answer so (`helpdesk.api_errors`).
"""

from typing import Any, Final

_WRITES: Final = ("post", "put", "patch", "delete")
_JSON: Final = "application/json"
_REFUSALS: Final[dict[str, tuple[str, str, Any]]] = {
    "400": (
        "Invalid",
        "What was sent cannot be read, or breaks a rule: reasons by field, or one as `detail`.",
        {"priority": ['"soon" is not a valid choice.']},
    ),
    "401": (
        "Unauthorized",
        "No token and no session, or one that is not valid.",
        {"detail": "Authentication credentials were not provided."},
    ),
    "403": (
        "Forbidden",
        "Not this agent's to do: admins configure, viewers read.",
        {"detail": "You do not have permission to perform this action."},
    ),
    "404": (
        "NotFound",
        "There is none, or none that this agent may see.",
        {"detail": "No Conversation matches the given query."},
    ),
    "409": (
        "Conflict",
        "It contradicts what is there already.",
        {"detail": "This contradicts what is there already (one_default_plan)."},
    ),
    "413": ("TooLarge", "The body is larger than is read.", {"detail": "The request is too large."}),
    "415": ("Unsupported", "The body is of no type that is read.", {"detail": 'Unsupported media type "text/plain".'}),
}


def say_refusals(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """A hook of drf-spectacular (POSTPROCESSING_HOOKS): to each operation's answers the refusals that it may give."""
    components = result["components"]
    components["schemas"]["Refusal"] = {
        "type": "object",
        "description": "Why not: `detail`, or reasons by the field they are about.",
        "additionalProperties": {},
    }
    components["responses"] = {name: _response(words, example) for name, words, example in _REFUSALS.values()}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _statuses(path, method, operation):
                name = _REFUSALS[status][0]
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{name}"})
    return result


def _response(words: str, example: Any) -> dict[str, Any]:
    shape = {"$ref": "#/components/schemas/Refusal"}
    return {"description": words, "content": {_JSON: {"schema": shape, "example": example}}}


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    is_asked = any(one["in"] == "query" for one in operation.get("parameters", ()))
    has_body = "requestBody" in operation
    may = {
        "400": has_body or is_asked or method in _WRITES,
        "401": True,
        "403": True,
        "404": "{" in path or is_asked,
        "409": method in _WRITES,
        "413": has_body,
        "415": has_body,
    }
    return [status for status, may_be in may.items() if may_be]
