"""TXT records: asked once, waited for briefly, and never more than the budget."""

import dns.resolver
import pytest

from tests.fixtures.dns_stub import DnsStub
from tickets.mail import dns_texts
from tickets.mail.dns_texts import BUDGET_SECONDS, BUDGET_WINDOW, MOST_KEPT, NoAnswer, Records, Texts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_records_are_asked_once(dns_stub: DnsStub) -> None:
    long = "v=DKIM1; p=" + "A" * 400
    dns_stub.records["sel._domainkey.demo.example"] = [long, "other"]
    texts = Texts()
    for _ in range(3):
        assert sorted(texts.of("sel._domainkey.demo.example")) == [b"other", long.encode()]
        assert texts.of("gone.demo.example") == ()
    assert dns_stub.asked == ["sel._domainkey.demo.example", "gone.demo.example"]


def test_a_record_that_is_too_long_is_none(dns_stub: DnsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    dns_stub.records["long.example"] = ["x" * 300]
    monkeypatch.setattr(dns_texts, "MAX_RECORD_BYTES", 299)
    assert Texts().of("long.example") == ()


@pytest.mark.parametrize("name", ["", "a..b", "x" * 70 + ".example", "é\u2028.example", "a" * 400])
def test_odd_names_are_no_answer_or_none(dns_stub: DnsStub, name: str) -> None:
    try:
        assert Texts().of(name) == ()
    except NoAnswer:
        assert dns_stub.asked == []


def test_silence_is_no_answer_and_remembered(dns_stub: DnsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_texts, "LOOKUP_SECONDS", 0.05)
    dns_stub.is_silent = True
    texts = Texts()
    for _ in range(5):
        with pytest.raises(NoAnswer):
            texts.of("demo.example")
    assert set(dns_stub.asked) == {"demo.example"}
    asked = len(dns_stub.asked)
    with pytest.raises(NoAnswer):
        texts.of("demo.example")
    assert len(dns_stub.asked) == asked


def test_no_resolver_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = dns.resolver.Resolver(configure=False)
    monkeypatch.setattr(dns.resolver, "default_resolver", nobody)
    with pytest.raises(NoAnswer):
        Texts().of("demo.example")


def test_slow_servers_cost_no_more_than_the_budget() -> None:
    clock = Clock()
    asked: list[str] = []

    def slow(name: str) -> tuple[Records, float]:
        asked.append(name)
        clock.now += 2
        raise NoAnswer(name)

    texts = Texts(slow, clock)
    for number in range(1000):
        with pytest.raises(NoAnswer):
            texts.of(f"{number}.example")
    assert len(asked) == BUDGET_SECONDS / 2
    clock.now += BUDGET_WINDOW
    with pytest.raises(NoAnswer):
        texts.of("later.example")
    assert asked[-1] == "later.example"


def test_what_is_remembered_ends_and_is_bounded() -> None:
    clock = Clock()
    asked: list[str] = []

    def answer(name: str) -> tuple[Records, float]:
        asked.append(name)
        return (b"text",), 100

    texts = Texts(answer, clock)
    texts.of("a.example")
    clock.now += 99
    texts.of("a.example")
    assert asked == ["a.example"]
    clock.now += 2
    for number in range(MOST_KEPT):
        texts.of(f"{number}.example")
    texts.of("a.example")
    assert asked.count("a.example") == 2
    assert len(texts._known) == MOST_KEPT
