"""What conditions may say, and when they hold."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Customer, Organization
from tickets.desk import conditions
from tickets.desk.conditions import BadCondition, Case

AT = datetime(2026, 1, 12, 8, tzinfo=UTC)


def case(**changes: Any) -> Case:
    conversation = Conversation(
        pk=7,
        channel="email",
        subject="Shop is SLOW",
        status="new",
        priority="high",
        team_id=3,
        customer=Customer(name="Carol", email="Carol@Acme.example"),
        organization=Organization(pk=5, plan_id=2),
        custom={"cluster": "C01", "paid": True},
        updated_at=AT,
    )
    given_case: dict[str, Any] = {
        "conversation": conversation,
        "event": None,
        "text": "Nothing works since noon.",
        "tags": ["vip", "shop"],
        "services": [11],
        "is_open": False,
        "by": "customer",
        **changes,
    }
    return Case(**given_case)


HOLD = [
    ("channel", "is", "email"),
    ("channel", "is_not", ["chat", "form"]),
    ("status", "is", ["new", "open"]),
    ("priority", "is_not", "low"),
    ("team", "is", 3),
    ("team", "is", "3"),
    ("assignee", "is", "none"),
    ("email", "is", "carol@acme.example"),
    ("email", "contains", "ACME"),
    ("domain", "is", "@acme.example"),
    ("domain", "is", ["globex.example", "ACME.example"]),
    ("organization", "is", 5),
    ("plan", "is", [1, 2]),
    ("service", "is", 11),
    ("service", "is_not", "none"),
    ("tag", "is", ["Vip", "other"]),
    ("tag", "is_not", "spam"),
    ("subject", "contains", "slow"),
    ("subject", "is", "shop is slow"),
    ("text", "contains", ["down", "NOTHING WORKS"]),
    ("text", "contains_not", "invoice"),
    ("hours", "is", "closed"),
    ("by", "is", "customer"),
    ("automatic", "is", False),
    ("custom.cluster", "is", "c01"),
    ("custom.paid", "is", "true"),
    ("custom.cluster", "is_filled", None),
    ("custom.other", "is_empty", None),
    ("custom.other", "is_not", "x"),
]


@pytest.mark.parametrize(("field", "operator", "value"), HOLD)
def test_each_holds_and_its_opposite_does_not(field: str, operator: str, value: Any) -> None:
    (clean,) = conditions.cleaned([{"field": field, "operator": operator, "value": value}])
    assert conditions.hold([clean], case())
    opposite = {
        "is": "is_not",
        "is_not": "is",
        "contains": "contains_not",
        "contains_not": "contains",
        "is_filled": "is_empty",
        "is_empty": "is_filled",
    }[operator]
    if opposite in conditions.OPERATORS.get(field, ("is_not", "is", "is_empty", "is_filled")):
        assert not conditions.hold([{**clean, "operator": opposite}], case())


def test_all_must_hold_and_none_is_all() -> None:
    clean = conditions.cleaned([{"field": "channel", "value": "email"}, {"field": "status", "value": "closed"}])
    assert conditions.hold(clean[:1], case()) and not conditions.hold(clean, case()) and conditions.hold([], case())


def test_cleaning_twice_is_cleaning_once() -> None:
    clean = conditions.cleaned([{"field": f, "operator": o, "value": v} for f, o, v in HOLD[: conditions.MOST]])
    assert conditions.cleaned(clean) == clean


@pytest.mark.parametrize(
    "condition",
    [
        "x",
        {},
        {"field": "nose", "value": "x"},
        {"field": "channel", "operator": "contains", "value": "x"},
        {"field": "channel", "value": []},
        {"field": "channel", "value": ["x"] * 51},
        {"field": "channel", "value": ""},
        {"field": "channel", "value": {"a": 1}},
        {"field": "status", "value": "asleep"},
        {"field": "team", "value": "support"},
        {"field": "team", "value": -1},
        {"field": "team", "value": True},
        {"field": "team", "value": 2**63},
        {"field": "hours", "value": "late"},
        {"field": "automatic", "value": "yes"},
        {"field": "custom.", "value": "x"},
        {"field": "custom." + "k" * 41, "value": "x"},
        {"field": "subject", "operator": "matches", "value": "(a+)+$"},
        {"field": "subject", "value": "x" * 201},
        {"field": "subject", "value": "x", "also": 1},
        {"field": ["subject"], "value": "x"},
    ],
)
def test_what_means_nothing_is_refused(condition: Any) -> None:
    with pytest.raises(BadCondition):
        conditions.cleaned([condition])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=10), part, max_size=3),
    max_leaves=8,
)
CONDITION = st.fixed_dictionaries(
    {"field": st.sampled_from([*conditions.OPERATORS, "custom.x"]) | JSON, "value": JSON},
    optional={"operator": st.sampled_from(["is", "is_not", "contains", "contains_not", "is_empty"]) | JSON},
)


@given(JSON | st.lists(CONDITION, max_size=3))
def test_whatever_is_given_is_refused_or_can_be_asked(given_conditions: Any) -> None:
    try:
        clean = conditions.cleaned(given_conditions)
    except BadCondition:
        return
    assert conditions.hold(clean, case()) in (True, False)
