"""What is said about times, people and codes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.conversations import emoji
from helpdesk.customers.entitlements import Realtime, realtime
from helpdesk.customers.models import Plan
from helpdesk.desk.web_links import linked
from helpdesk.oncall.rota import Slot
from tickets.desk import durations, event_lines, rota_table, wording

AT = datetime(2026, 1, 12, 8, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0:00"),
        (9.9, "0:09"),
        (599, "9:59"),
        (600, "10 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (36_060, "10 h"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (10 * 86_400 + 3600, "10 d"),
        (-5, "0:00"),
    ],
)
def test_a_duration_in_few_words(seconds: float, words: str) -> None:
    assert durations.short(seconds) == words


@pytest.mark.parametrize(
    ("left", "tone", "text"),
    [(7200, "", "2 h left"), (1800, "warn", "30 min left"), (0, "bad", "0:00 over"), (-120, "bad", "2:00 over")],
)
def test_a_countdown_warns_and_says_when_it_is_over(left: int, tone: str, text: str) -> None:
    due_at = AT + timedelta(seconds=left)
    shown = durations.countdown(due_at, due_at - timedelta(minutes=48), AT)

    assert (shown.tone, shown.text) == (tone, text)


@pytest.mark.parametrize(
    ("text", "big"),
    [
        ("🙏👍", True),
        (" 👍🏽 ", True),
        ("👨‍👩‍👧", True),
        ("❤️", True),
        ("ok 👍", False),
        ("", False),
        ("42", False),
        ("1️⃣", True),
        ("🇩🇪", True),
        ("©", False),
        ("❤", False),
        ("👍" * 13, False),
    ],
)
def test_a_few_emoji_alone_are_shown_large(text: str, big: bool) -> None:
    assert emoji.is_big(text) is big


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("carol@acme.example", "CA"),
        ("", "?"),
        ("???", "?"),
        ("李 小龍", "李小"),
        ("  -- ", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert wording.initials(name) == letters


@given(st.text(max_size=400))
def test_linking_never_lets_markup_through(text: str) -> None:
    html = str(linked(f"{text} https://x.example/{text}"))
    without_links = html.replace("</a>", "")

    assert "<script" not in html.lower()
    assert without_links.count("<") == html.count('<a href="http')
    assert html.count('"') == html.count("<a ") * 6


def test_linking_leaves_the_full_stop_outside() -> None:
    assert 'href="https://x.example/a"' in str(linked("See https://x.example/a."))


def test_a_link_ends_where_the_direction_turns() -> None:
    assert 'href="https://x.example/"' in str(linked("https://x.example/\u202egpj.exe"))


def test_taking_and_being_given_are_told_apart() -> None:
    names = {("agent", 1): "Ada", ("agent", 2): "Grace"}

    assert event_lines.line("conversation.assigned", "Ada", {"assignee": 1}, names) == "Ada took it"
    assert event_lines.line("conversation.assigned", "Ada", {"assignee": 2}, names) == "Ada: assigned to Grace"
    assert event_lines.line("message.written", "Ada", {}, names) == ""
    assert event_lines.line("never.heard.of", "Ada", {}, names) == ""


@given(
    st.dictionaries(
        st.sampled_from(["assignee", "team", "was", "status", "target", "subject"]),
        st.integers() | st.text() | st.none(),
    )
)
def test_no_event_data_breaks_a_line(data: dict[str, object]) -> None:
    for kind in event_lines._SENTENCES:
        assert isinstance(event_lines.line(kind, "Ada", data, {}), str)


def _slot(start: datetime, hours: float, user: int | None, source: str = "layer:1") -> Slot:
    return Slot(start, start + timedelta(hours=hours), user, source)


def test_a_day_of_the_rota_is_shared_out() -> None:
    midnight = datetime(2026, 1, 11, 23, 0, tzinfo=UTC)
    slots = [_slot(midnight, 6, 1), _slot(midnight + timedelta(hours=6), 6, None, "gap")]
    slots.append(_slot(midnight + timedelta(hours=12), 12, 2, "override:1"))

    (day,) = rota_table.days(slots, {1: "Grace", 2: "Ada"}, BERLIN)

    assert [(bar.left, bar.width, bar.name, bar.stands_in) for bar in day.bars] == [
        (0, 25, "Grace", False),
        (25, 25, "", False),
        (50, 50, "Ada", True),
    ]


def test_one_persons_turns_are_one_bar() -> None:
    midnight = datetime(2026, 1, 11, 23, 0, tzinfo=UTC)

    (day,) = rota_table.days([_slot(midnight, 9, 1), _slot(midnight + timedelta(hours=9), 15, 1)], {1: "Grace"}, BERLIN)

    assert [bar.width for bar in day.bars] == [100]


@pytest.mark.parametrize("month_day", [(3, 29), (10, 25)])
def test_a_day_of_23_or_25_hours_is_still_a_whole_day(month_day: tuple[int, int]) -> None:
    start = datetime(2026, *month_day, tzinfo=BERLIN).astimezone(UTC)
    slots = [_slot(start, 72, 1)]

    days = rota_table.days(slots, {1: "Grace"}, BERLIN)

    assert [bar.width for bar in days[0].bars] == [100]
    assert [day.date.date() for day in days[:2]] == [date(2026, *month_day), date(2026, *month_day) + timedelta(days=1)]


@pytest.mark.parametrize(
    ("kind", "day", "expected"),
    [
        ("always", 400, (True, None)),
        ("never", 0, (False, None)),
        ("first_days", 0, (True, date(2026, 1, 30))),
        ("first_days", 29, (True, date(2026, 1, 30))),
        ("first_days", 30, (False, date(2026, 1, 30))),
        ("first_days", -1, (False, date(2026, 1, 30))),
    ],
)
def test_real_time_support_and_until_when(kind: str, day: int, expected: tuple[bool, date | None]) -> None:
    plan = Plan(realtime=kind, realtime_days=30, realtime_channels=["chat"])
    since = date(2026, 1, 1)

    assert realtime(plan, since, since + timedelta(days=day)) == Realtime(*expected, channels=("chat",))
