"""What pages tell of their visitors: bounded, plain text, and only where the widget lets agents see pages."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat import passing
from chat.models import PageEvent, Visit, Widget
from tests.chat.continuing import begin, visitor
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in

pytestmark = pytest.mark.django_db
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=60), inner, max_size=15),
    max_leaves=20,
)


@pytest.fixture
def visit(company: Company, at: datetime) -> Visit:
    found = visitor(at)
    found.widget.sees_pages = True
    found.widget.save()
    return found


def tracked(visit: Visit) -> list[PageEvent]:
    """Newest first."""
    return list(PageEvent.objects.filter(visit=visit).order_by("-pk"))


def test_the_last_few_are_kept_newest_first(visit: Visit, at: datetime) -> None:
    other = visitor(at)
    other.widget.sees_pages = True
    passing.track(other, {"name": "theirs"}, at=at)
    for number in range(passing.MOST_TRACKED + 3):
        assert passing.track(visit, {"name": f"step {number}", "props": {"n": number}}, at=at)

    kept = tracked(visit)
    assert len(kept) == passing.MOST_TRACKED
    assert (kept[0].name, kept[0].props) == ("step 12", {"n": "12"})
    assert [one.name for one in tracked(other)] == ["theirs"]


def test_nothing_is_kept_where_agents_may_not_see_pages(visit: Visit, at: datetime) -> None:
    visit.widget.sees_pages = False

    assert not passing.track(visit, {"name": "Bought"}, at=at)
    assert not PageEvent.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", None, 7, ["a"]])
def test_without_a_name_it_is_nothing(visit: Visit, at: datetime, name: Any) -> None:
    assert not passing.track(visit, {"name": name}, at=at)


@pytest.mark.parametrize("props", ["{", "[1]", "[" * 2000, '{"a": "\\ud800"}', "x" * 3000, 7, None])
def test_props_that_are_none_are_left_out(visit: Visit, at: datetime, props: Any) -> None:
    passing.track(visit, {"name": "Bought", "props": props}, at=at)

    assert PageEvent.objects.get().props == {}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(props=JSON, name=st.text(min_size=1, max_size=300))
def test_whatever_comes_is_short_plain_text(visit: Visit, at: datetime, props: Any, name: str) -> None:
    if not passing.track(visit, {"name": name, "props": props}, at=at):
        return
    kept = tracked(visit)[0]
    assert len(kept.props) <= passing.MOST_PROPS
    for short, value in kept.props.items():
        assert isinstance(value, str) and len(value) <= passing.LONGEST_VALUE and len(short) <= passing.LONGEST_PROP
        assert value.isprintable() and short.isprintable()
    assert 0 < len(kept.name) <= passing.LONGEST_NAME


def test_agents_read_it_beside_the_conversation(visit: Visit, company: Company, at: datetime, client: Client) -> None:
    passing.track(visit, {"name": "Cart <b>filled</b>", "props": {"items": 3, "total": "99 €"}}, at=at)
    chat = begin(visit, "Hello", at=at)

    page = logged_in(company.grace).get(f"/desk/conversations/{chat.pk}/").content.decode()

    assert "Cart &lt;b&gt;filled&lt;/b&gt;" in page
    assert "99 €" in page and "Cart <b>" not in page
    theirs = begin(visitor(at), "Hi", at=at)
    assert "Cart" not in logged_in(company.grace).get(f"/desk/conversations/{theirs.pk}/").content.decode()


def test_where_they_were_last_stays_known(visit: Visit) -> None:
    page = passing.page_in({"url": "https://shop.example/" + "x" * 900, "title": "A\nshop"})
    assert page is not None
    passing.note_page(visit, *page)

    found = Visit.objects.get(pk=visit.pk)
    assert len(found.page_url) == passing.LONGEST_URL and found.page_title == "A shop"
    assert passing.page_in({"url": "javascript:alert(1)"}) is None
    assert Widget.objects.filter(sees_pages=True).exists()
