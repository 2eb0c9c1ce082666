"""Pages by SMS, by phone call and by Telegram: what is said, and that only the agent who was called can answer."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from helpdesk.customers.models import User
from helpdesk.events import outbox
from helpdesk.events.outcomes import Ambiguous, NeverRetry, RetryLater
from helpdesk.events.sms_text import count
from helpdesk.oncall import deliveries, linking, notices, notification_rules, page_words, paging, telegram_updates
from helpdesk.oncall.models import AgentAddress, NotificationRule, Page, PageDelivery
from helpdesk.oncall.notification_rules import SenselessRule
from helpdesk.oncall.pagers import Pager, configured_pagers
from helpdesk.oncall.pagers.email import page_email
from tests.fixtures.company import Company
from tests.fixtures.notices import notice, refused, send
from tests.fixtures.pages import page
from tests.fixtures.phone import own_phone, tell
from tests.fixtures.providers.base import ProviderServer, Received, Reply
from tests.fixtures.providers.twilio import FROM, TwilioServer

pytestmark = pytest.mark.django_db
GRACE, MINUTE = "+4917612345678", timedelta(minutes=1)


class BotServer(ProviderServer):
    """The Bot API as far as pages use it: `sent` and `edited` hold what was asked."""

    token = "123456:bot-token"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def answer(self, request: Received) -> Reply:
        if not request.path.startswith(f"/bot{self.token}/"):
            return Reply(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        method, body = request.path.rpartition("/")[2], request.json()
        self.asked.append((method, body))
        if body.get("chat_id") == "666":
            return Reply(403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"})
        return Reply(200, {"ok": True, "result": {"message_id": len(self.asked), "chat": {"id": body.get("chat_id")}}})


@pytest.fixture
def bot(settings: Settings) -> Any:
    with BotServer() as server:
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BASE_URL = server.token, server.url
        yield server


def pager(twilio: TwilioServer, name: str, sender: str = FROM) -> Pager:
    return configured_pagers(
        {"TWILIO_ACCOUNT_SID": twilio.account, "TWILIO_AUTH_TOKEN": twilio.token, "TWILIO_FROM": sender,
         "TWILIO_BASE_URL": twilio.url, "PUBLIC_URL": twilio.public_url}
    )[name]  # fmt: skip


def work(at: datetime) -> None:
    while outbox.drain(at) + deliveries.deliver(at):
        pass


class TestByPhone:
    def test_a_text_is_one_segment_whatever_it_says(self, twilio: TwilioServer) -> None:
        for told in (notice(to=GRACE), notice(to=GRACE, summary="Ж😀€" * 200), notice(to=GRACE, is_digest=True)):
            assert send(pager(twilio, "sms"), told) == twilio.messages[-1].sid
            assert count(twilio.messages[-1].body).segments == 1
        assert twilio.messages[0].body.endswith(" Reply ACK 42 or PASS 42")
        assert twilio.messages[2].body.endswith(" Reply ACK ALL")
        send(pager(twilio, "sms", "MG123"), notice(to=GRACE))
        assert twilio.messages[-1].form["MessagingServiceSid"] == "MG123" and "From" not in twilio.messages[-1].form
        long = notice(to=GRACE, summary="<&>" * 400)
        assert send(pager(twilio, "voice"), long) == twilio.calls[0].sid and len(twilio.calls[0].form["Twiml"]) <= 4000

    def test_the_words_around_are_in_each_language(self, twilio: TwilioServer) -> None:
        for language in page_words.WORDS:
            late, long = timedelta(days=3, hours=23), "<&>" * 400
            for told in (
                notice(to=GRACE, language=language),
                notice(to=GRACE, language=language, summary=long, late_by=late, page_id=2**63 - 1),
                notice(to=GRACE, language=language, summary=long, is_digest=True),
                notice(to=GRACE, language=language, summary=long, action="resolve"),
            ):
                send(pager(twilio, "sms"), told)
                assert count(twilio.messages[-1].body).segments == 1
                send(pager(twilio, "voice"), told)
                assert len(twilio.calls[-1].form["Twiml"]) <= 4000
        german = notice(to=GRACE, language="de", summary="web14")
        send(pager(twilio, "sms"), german)
        assert twilio.messages[-1].body == "DRINGEND web14 Antwort: ACK 42 oder PASS 42"
        send(pager(twilio, "voice"), german)
        assert "Zum Bestätigen drücken Sie die 1" in twilio.calls[-1].words
        assert 'language="de-DE"' in twilio.calls[-1].form["Twiml"]
        assert all(set(words) == set(page_words.WORDS["en"]) for words in page_words.WORDS.values())

    def test_a_page_that_rings_again_names_nobody(self, company: Company, at: datetime) -> None:
        """An acknowledgement that has lapsed is no reason to sleep on."""
        found = page(at=at)
        Page.objects.filter(pk=found.pk).update(acknowledged_by=company.grace, acknowledged_via="desk")
        called = PageDelivery.objects.filter(page=found, action="trigger").select_related("page", "user")[0]
        assert notices.notice(called, at).acknowledged_by == ""
        called.action = PageDelivery.Action.RESOLVE
        assert notices.notice(called, at).acknowledged_by == "Grace Hopper"

    def test_mail_and_telegram_speak_the_language_too(self, bot: BotServer) -> None:
        facts = {"customer": "Gil", "priority": page_words.named("de", "urgent")}
        german = notice(to="grace@demo.example", language="de", summary="web14", details=facts)
        mail = page_email(german, "support@demo.example")
        assert mail.subject == "[DRINGEND] web14"
        assert "Kunde: Gil\nPriorität: dringend\nSeit: " in mail.body and "Bestätigen: https://" in mail.body
        ended = page_email(replace(german, action="resolve", acknowledged_by="Ada"), "support@demo.example")
        assert ended.subject == "Erledigt: web14" and "Bestätigt von: Ada" in ended.body
        told = {"TELEGRAM_BOT_TOKEN": bot.token, "TELEGRAM_BASE_URL": bot.url}
        send(configured_pagers(told)["telegram"], replace(german, to="77"))
        method, body = bot.asked[-1]
        assert method == "sendMessage" and "Priorität: dringend" in body["text"]
        buttons = [button["text"] for row in body["reply_markup"]["inline_keyboard"] for button in row]
        assert buttons == ["Bestätigen", "Weitergeben"]

    def test_agents_are_called_and_answered_in_their_language(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        User.objects.filter(pk=company.grace.pk).update(language="de")
        own_phone(company.grace, GRACE, at=at, channels=("sms", "voice"))
        first, second = page("test:1", at=at), page("test:2", at=at)
        work(at)
        assert {one.body[:8] for one in twilio.messages} == {"DRINGEND"}
        called = PageDelivery.objects.get(page=first, channel="voice").provider_ref
        call = next(one for one in twilio.calls if one.sid == called)
        answer = tell(twilio.press(call, "1"), at).content.decode()
        assert "Bestätigt. Danke." in answer and 'language="de-DE"' in answer
        twilio.messages.clear()
        for number, words in enumerate((f"PASS {second.pk}", f"ACK {first.pk}", "ACK 99999", "ack all")):
            tell(twilio.text(words, sid=f"SM{number}", sender=GRACE), at)
            tell(twilio.text(words, sid=f"SM{number}", sender=GRACE), at)
            work(at)
        assert [one.body for one in twilio.messages] == [
            f"Alarm {second.pk} ist weitergegeben.",
            f"Alarm {first.pk} gehört Ihnen. Danke.",
            "Kein Alarm wartet auf diese Antwort.",
            "Bestätigte Alarme: 1. Danke.",
        ]
        paging.acknowledge(page("test:3", at=at).pk, at=at, user=company.ada)
        tell(twilio.text(f"ACK {Page.objects.get(dedup_key='test:3').pk}", sid="SM9", sender=GRACE), at)
        work(at)
        assert twilio.messages[-1].body.endswith("ist schon bestätigt: Ada Lovelace.")

    def test_what_each_answer_means(self, twilio: TwilioServer) -> None:
        told = notice(to=GRACE)
        for status, code, kind in ((401, 20003, NeverRetry), (400, 21610, NeverRetry), (500, 0, Ambiguous)):
            twilio.fail_next(status, {"code": code, "message": f"no {twilio.token}", "status": status})
            error = refused(pager(twilio, "sms"), told)
            assert type(error) in (kind, *kind.__subclasses__()) and twilio.token not in error.reason
        twilio.fail_next(429, {"code": 20429, "message": "slow down"}, {"Retry-After": "7"})
        limited = refused(pager(twilio, "voice"), told)
        assert isinstance(limited, RetryLater) and limited.after == timedelta(seconds=7)
        twilio.cut_next()
        assert isinstance(refused(pager(twilio, "voice"), told), Ambiguous)

    def test_only_who_was_called_acknowledges(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        own_phone(company.grace, GRACE, at=at, channels=("sms",))
        first, second = page("test:1", at=at), page("test:2", at=at)
        work(at)
        assert len(twilio.messages) == 2
        stranger = twilio.text(f"ACK {first.pk}", sid="SM1", sender="+4915199999999")
        tell(stranger, at)
        work(at)
        assert Page.objects.get(pk=first.pk).state == "triggered"
        tell(twilio.text("pass", sid="SM2", sender=GRACE), at)
        tell(twilio.text(f"Ack #{first.pk}.", sid="SM3", sender=GRACE), at)
        tell(twilio.text("1", sid="SM4", sender=GRACE), at)
        tell(twilio.text("ACK 99999", sid="SM5", sender=GRACE), at)
        work(at)
        for one in (first, second):
            one.refresh_from_db()
            assert (one.state, one.acknowledged_by) == ("acknowledged", company.grace)
        assert first.acknowledged_via == f"SMS ({GRACE})"

    def test_two_passes_it_on_and_no_key_does_nothing(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        own_phone(company.grace, GRACE, at=at, channels=("voice",))
        called = page(at=at)
        work(at)
        (call,) = twilio.calls
        for digit in ("", "5"):
            assert b"<Gather" in tell(twilio.press(call, digit), at).content
        tell(twilio.over(call, by="machine_end_beep"), at)
        work(at)
        called.refresh_from_db()
        assert (called.state, called.step) == ("triggered", 0)
        assert b"passed on" in tell(twilio.press(call, "2"), at + MINUTE).content
        work(at + MINUTE)
        paging.escalate(at + MINUTE)
        called.refresh_from_db()
        assert (called.state, called.step) == ("triggered", 1), "the next one is called at once"

    def test_a_text_that_did_not_arrive_goes_by_mail(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        own_phone(company.grace, GRACE, at=at, channels=("sms", "voice"))
        called = page(at=at)
        work(at)
        for _ in range(2):
            tell(twilio.state(twilio.messages[0], "failed", 30003), at)
            tell(twilio.over(twilio.calls[0], "busy"), at)
        work(at)
        found = {one.channel: one for one in called.deliveries.filter(user=company.grace)}
        assert (found["sms"].state, found["email"].state) == ("failed", "sent")
        assert "30003" in found["sms"].error and found["voice"].error == "busy"

    def test_a_burst_is_one_text_that_one_answer_settles(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        own_phone(company.grace, GRACE, at=at, channels=("sms", "voice"))
        for number in range(6):
            page(f"test:{number}", at=at)
        work(at)
        assert len(twilio.messages) == len(twilio.calls) == 1 and "6 pages" in twilio.messages[0].body
        tell(twilio.press(twilio.calls[0], "1"), at)
        work(at)
        assert not Page.objects.filter(state="triggered").exists()


class TestLinking:
    def test_a_phone_is_ones_own_by_a_code(self, company: Company, at: datetime) -> None:
        number, code = linking.ask_phone(company.grace, "+49 176 123456-78", at=at)
        assert number == GRACE and not linking.address_of(company.grace, "phone")
        with pytest.raises(linking.NotLinked, match="Wait a minute"):
            linking.ask_phone(company.grace, GRACE, at=at)
        with pytest.raises(linking.NotLinked, match="not the code"):
            linking.confirm_phone(company.grace, "x", at=at)
        assert linking.confirm_phone(company.grace, f" {code} ", at=at) == GRACE
        assert linking.agent_at("phone", GRACE) == company.grace
        with pytest.raises(linking.NotLinked, match="Another agent"):
            linking.ask_phone(company.linus, GRACE, at=at)
        for wrong in ("0151 234", "+1"):
            with pytest.raises(linking.NotLinked, match="country"):
                linking.ask_phone(company.linus, wrong, at=at)

    def test_a_code_cannot_be_guessed_and_ends(self, company: Company, at: datetime) -> None:
        _number, code = linking.ask_phone(company.grace, GRACE, at=at)
        for _ in range(linking.MOST_TRIES):
            with pytest.raises(linking.NotLinked):
                linking.confirm_phone(company.grace, "nonsense", at=at)
        with pytest.raises(linking.NotLinked, match="Too many"):
            linking.confirm_phone(company.grace, code, at=at)
        _number, code = linking.ask_phone(company.grace, GRACE, at=at + 2 * MINUTE)
        with pytest.raises(linking.NotLinked, match="too old"):
            linking.confirm_phone(company.grace, code, at=at + timedelta(hours=1))

    def test_pages_go_to_no_strangers_phone(
        self, company: Company, twilio: TwilioServer, bot: BotServer, at: datetime
    ) -> None:
        rule = NotificationRule(user=company.grace, urgency="high", channel="voice")
        with pytest.raises(SenselessRule, match="link your phone"):
            notification_rules.save_rule(rule, {"to": GRACE})
        own_phone(company.grace, GRACE, at=at)
        with pytest.raises(SenselessRule, match="not the one"):
            notification_rules.save_rule(rule, {"to": "+4915100000000"})
        assert notification_rules.save_rule(rule, {"to": ""}).to == GRACE
        linking.unlink(company.grace, AgentAddress.Kind.PHONE)
        assert not NotificationRule.objects.filter(user=company.grace, channel="voice").exists()


def started(code: str, chat: int = 77, kind: str = "private") -> dict[str, Any]:
    sender = {"id": 77, "is_bot": False, "first_name": "Grace", "username": "amazing_grace"}
    message = {"message_id": 1, "from": sender, "chat": {"id": chat, "type": kind}, "text": f"/start {code}"}
    return {"update_id": 1, "message": message}


def pressed(data: str, who: int = 77) -> dict[str, Any]:
    return {"update_id": 2, "callback_query": {"id": "q1", "from": {"id": who}, "data": data}}


class TestByTelegram:
    told = 0

    def test_linked_paged_answered(self, company: Company, bot: BotServer, at: datetime) -> None:
        """The way of one page: the code, the message with its buttons, somebody else's press, hers, and the end."""
        code = linking.ask_telegram(company.grace, at=at)
        self.tell(started(code), at)
        assert linking.agent_at("telegram", "77") == company.grace
        assert bot.asked[-1][0] == "sendMessage" and "Linked to Grace Hopper" in bot.asked[-1][1]["text"]
        NotificationRule.objects.create(user=company.grace, urgency="high", channel="telegram", to="77")
        called = page(at=at)
        work(at)
        method, body = bot.asked[-1]
        (buttons,) = body["reply_markup"]["inline_keyboard"]
        assert method == "sendMessage" and [b["callback_data"] for b in buttons] == [
            f"ack:{called.pk}",
            f"pass:{called.pk}",
        ]
        self.tell(pressed(f"ack:{called.pk}", who=78), at)
        called.refresh_from_db()
        assert called.state == "triggered" and "no agent" in bot.asked[-1][1]["text"]
        self.tell(pressed(f"ack:{called.pk}"), at)
        called.refresh_from_db()
        assert (called.state, called.acknowledged_by) == ("acknowledged", company.grace)
        assert (
            "answerCallbackQuery",
            {"callback_query_id": "q1", "text": "Acknowledged by Grace Hopper."},
        ) in bot.asked
        work(at)
        method, body = bot.asked[-1]
        assert method == "editMessageText" and body["reply_markup"] == {"inline_keyboard": []}
        assert "Acknowledged by Grace Hopper" in body["text"]

    def test_a_code_links_once_and_only_a_private_chat(self, company: Company, bot: BotServer, at: datetime) -> None:
        code = linking.ask_telegram(company.grace, at=at)
        self.tell(started(code, chat=-100, kind="group"), at)
        assert linking.agent_at("telegram", "-100") is None
        self.tell(started(code), at + timedelta(hours=1))
        assert linking.agent_at("telegram", "77") is None and "not valid" in bot.asked[-1][1]["text"]
        self.tell(started(code), at)
        self.tell(started(code), at)
        assert "linked already" in bot.asked[-1][1]["text"]

    def test_what_concerns_customers_is_left_alone(self, company: Company, bot: BotServer, at: datetime) -> None:
        odd: list[Any] = [["ack:1"], "ack:" + "9" * 60, None, "ack:x"]
        hostile: list[Any] = [{}, {"message": 1}, {"message": {"text": "/start x"}}, started("customer_1")]
        hostile += [{"callback_query": {"data": data}} for data in odd]
        for update in hostile:
            assert not telegram_updates.concerns(update) and telegram_updates.hear(update, at=at) is None
        assert telegram_updates.read(b"[1]") is telegram_updates.read(b"\xff") is None

    def test_what_each_answer_means(self, bot: BotServer) -> None:
        way = configured_pagers({"TELEGRAM_BOT_TOKEN": bot.token, "TELEGRAM_BASE_URL": bot.url})["telegram"]
        assert isinstance(refused(way, notice(to="666")), NeverRetry)
        bot.fail_next(429, {"ok": False, "description": "slow", "parameters": {"retry_after": 9}})
        limited = refused(way, notice(to="77"))
        assert isinstance(limited, RetryLater) and limited.after == timedelta(seconds=9)
        bot.fail_next(502)
        assert isinstance(refused(way, notice(to="77")), Ambiguous)
        bot.fail_next(400, {"ok": False, "description": "Bad Request: message is not modified"})
        assert send(way, notice(action="resolve", provider_ref="77:5")) == "77:5"
        bot.cut_next()
        assert bot.token not in refused(way, notice(to="77")).reason

    def tell(self, update: dict[str, Any], at: datetime) -> None:
        """As the room that holds the bot does: kept, and worked on later."""
        assert telegram_updates.concerns(update)
        self.told += 1
        telegram_updates.keep(update | {"update_id": self.told}, at=at)
        while outbox.drain(at):
            pass


def test_a_delivery_is_known_by_its_reference(company: Company, twilio: TwilioServer, at: datetime) -> None:
    """Somebody else's state changes nothing of ours."""
    own_phone(company.grace, GRACE, at=at, channels=("sms",))
    called = page(at=at)
    work(at)
    told = {"MessageSid": "SMother", "MessageStatus": "failed", "ErrorCode": "30003"}
    tell(twilio.hook(f"/hooks/twilio/status/?page={called.pk}", told), at)
    work(at)
    assert PageDelivery.objects.get(page=called, channel="sms").state == "sent"
