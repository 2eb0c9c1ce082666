"""What makes sense, with parts of it replaced by what makes none; the answer is JSON with a reason all the same."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Caller
from tests.fixtures.cells import each

VALUES = [
    *("new", "urgent", "outbound", "note", "cluster", "admin", "weekly", "hours", "dispatch", "always", "email", "api"),
    *("Europe/Berlin", "CET", "2026-01-01", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "08:00", "24:00"),
    *("mon", "a@b.example", "DE", "1", "", " ", "\x00", "\ud800", "é" * 300),
    *("<script>", "%s'\"; --", "../..", "\u202e", "0"),
    *(0, 1, -1, 2**31, 2**63, 10**30, 1.5, 1e308, True, False, None),
]  # fmt: skip
LEAVES = (
    st.sampled_from(VALUES) | st.text(max_size=20) | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
EASY = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def is_a_clear_answer(answer: Any) -> bool:
    if answer.status_code == 204:
        return True
    assert answer["Content-Type"] == "application/json", answer["Content-Type"]
    assert answer.status_code < 400 or answer.json(), "an error without a reason"
    return bool(answer.status_code < 500)


def spoiled(sensible: Any, there: Mapping[str, int | str]) -> st.SearchStrategy[Any]:
    """The sensible thing, `{name}` being an id of what is there, with parts of it replaced at any depth."""
    if isinstance(sensible, dict):
        parts = st.fixed_dictionaries({name.format(**there): spoiled(value, there) for name, value in sensible.items()})
        more = st.dictionaries(st.sampled_from([*sensible, "x"]), JSON, max_size=3)
        return parts | parts | st.tuples(parts, more).map(lambda both: {**both[0], **both[1]})
    if isinstance(sensible, list):
        whole = st.tuples(*(spoiled(value, there) for value in sensible)).map(list)
        return st.sampled_from([True] * 9 + [False]).flatmap(lambda keep: whole if keep else JSON)
    if isinstance(sensible, str) and sensible.strip("{}") in there:
        sensible = there[sensible.strip("{}")]
    return st.sampled_from([True] * 19 + [False]).flatmap(lambda keep: st.just(sensible) if keep else LEAVES)


def send_spoiled(caller: Caller, bodies: Sequence[tuple[str, str, Any]], there: Mapping[str, int | str]) -> None:
    """Each of (method, path, sensible body), spoiled in ten ways."""

    def check(cell: tuple[str, str, Any]) -> None:
        method, path, sensible = cell

        @EASY
        @given(body=spoiled(sensible, there))
        def run(body: Any) -> None:
            answer = caller(method, path.format(**there), json.dumps(body))
            assert is_a_clear_answer(answer), (body, answer.content)

        run()

    each(bodies, check)
