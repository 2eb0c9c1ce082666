"""Chats in Slack: a thread each, followed in order and once; replies are internal unless said otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from chat import chats, slack_posts, slack_threads
from chat.models import Chat, SlackThread
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Team, User
from helpdesk.events import outbox
from helpdesk.events.actors import CUSTOMER
from helpdesk.events.models import Hook
from tests.chat.continuing import begin, say, visitor, work
from tests.fixtures.company import Company
from tests.fixtures.providers import SlackMessage, SlackServer

pytestmark = pytest.mark.django_db

UMA = "uma@umbrella.example"
SECOND = timedelta(seconds=1)
EVENTS, INTERACTIVITY = "/hooks/slack/events/", "/hooks/slack/interactivity/"


@pytest.fixture
def at() -> datetime:
    """A Monday, 09:00 in Berlin."""
    return datetime(2026, 1, 12, 8, 0, tzinfo=UTC)


def begun(at: datetime, text: str = "My site is down?") -> Chat:
    chat = begin(visitor(at, signed=UMA), text, at=at, name="Uma Singh")
    work(at)
    return chat


def tell(at: datetime) -> None:
    while slack_threads.sweep(at):
        pass


class TestThread:
    def test_a_chat_begins_a_thread_and_what_follows_is_gathered(
        self, slack: SlackServer, company: Company, at: datetime
    ) -> None:
        chat = begun(at, "<!channel> My site & shop are down?")
        tell(at)
        (first,) = slack.messages
        assert first.text == f"💬 Uma Singh waits in chat #{chat.pk}" and first.channel == "C0ONCALL1"
        shown = str(first.blocks)
        assert "&lt;!channel&gt; My site &amp; shop" in shown and "<!channel>" not in shown
        assert "Umbrella Studio" in shown and "verified" in shown and "!reply" in shown
        assert first.button("open_conversation")

        assert chat.visit is not None
        for number in range(3):
            say(chat.visit, chat, f"line {number}", at=at + SECOND)
        work(at + SECOND)
        tell(at + 2 * SECOND)
        assert len(slack.messages) == 1, "they are still writing"
        tell(at + 5 * SECOND)
        (followed,) = slack.thread(first)
        assert followed.text == "*Uma Singh*: line 0\n*Uma Singh*: line 1\n*Uma Singh*: line 2"
        tell(at + 600 * SECOND)
        assert len(slack.messages) == 2 and SlackThread.objects.get().due_at is None

    def test_what_agents_do_is_told_too_and_notes_are_not(
        self, slack: SlackServer, company: Company, at: datetime
    ) -> None:
        chat = begun(at)
        tell(at)
        conversations.reply(chat.pk, company.grace, "I am on it.", at=at + SECOND)
        conversations.note(chat.pk, company.ada, "again that disk", at=at + SECOND)
        work(at + SECOND)
        chats.end(chat.pk, actor=CUSTOMER, at=at + 2 * SECOND)
        work(at + 2 * SECOND)
        tell(at + 10 * SECOND)
        words = "\n".join(message.text for message in slack.thread(slack.messages[0]))
        assert "*Grace Hopper* → customer: I am on it." in words and "_Grace Hopper has joined_" in words
        assert "_The chat was ended by the customer_" in words and "disk" not in words

    def test_without_slack_nothing_is_kept_for_it(self, company: Company, settings: Settings, at: datetime) -> None:
        settings.SLACK_BOT_TOKEN = ""
        begun(at)
        assert not SlackThread.objects.exists() and slack_threads.sweep(at) == 0

    def test_messages_left_and_private_teams_are_not_for_the_channel(
        self, slack: SlackServer, company: Company, at: datetime
    ) -> None:
        begin(visitor(at), "Later is fine", at=at, leisurely=True)
        secret = begin(visitor(at, signed=UMA), "Secret", at=at)
        Conversation.objects.filter(pk=secret.pk).update(team=Team.objects.create(name="Board", is_private=True))
        work(at)
        tell(at)
        assert not slack.messages

    def test_a_long_talk_is_told_in_parts(self, slack: SlackServer, company: Company, at: datetime) -> None:
        chat = begun(at)
        tell(at)
        assert chat.visit is not None
        for number in range(4):
            say(chat.visit, chat, f"{number}" + "x" * 3000, at=at + SECOND)
        work(at + SECOND)
        for passed in range(5, 20):
            tell(at + passed * SECOND)
        parts = slack.thread(slack.messages[0])
        assert [part.text[:14] for part in parts] == [f"*Uma Singh*: {number}" for number in range(4)]
        assert all(len(part.text) <= 4000 for part in parts)


class TestTroubleInSlack:
    def test_a_limit_is_kept_and_nothing_is_lost(self, slack: SlackServer, company: Company, at: datetime) -> None:
        begun(at)
        begun(at)
        slack.limit_next(retry_after=20)
        tell(at)
        assert len(slack.received) == 1, "who is told to wait does not ask for the next chat either"
        tell(at + 5 * SECOND)
        assert len(slack.received) == 1
        tell(at + 22 * SECOND)
        assert len(slack.messages) == 2

    def test_a_lost_answer_is_looked_for_before_it_is_told_again(
        self, slack: SlackServer, company: Company, at: datetime, settings: Settings
    ) -> None:
        settings.SLACK_CHANNEL = "C0ONCALL1"
        slack.posted_at(at)
        chat = begun(at)
        slack.cut_next(process=True)
        slack_threads.sweep(at)
        assert SlackThread.objects.get().ts == "" and len(slack.messages) == 1
        assert chat.visit is not None
        say(chat.visit, chat, "said meanwhile", at=at + SECOND)
        work(at + SECOND)
        tell(at + 30 * SECOND)
        tell(at + 60 * SECOND)
        first, followed = slack.messages
        assert SlackThread.objects.get().ts == first.ts and followed.text == "*Uma Singh*: said meanwhile"
        say(chat.visit, chat, "and once more", at=at + 61 * SECOND)
        work(at + 61 * SECOND)
        slack.posted_at(at + 61 * SECOND)
        slack.cut_next(process=True)
        slack_threads.sweep(at + 70 * SECOND)
        tell(at + 200 * SECOND)
        assert [m.text for m in slack.thread(first)] == ["*Uma Singh*: said meanwhile", "*Uma Singh*: and once more"]

    def test_killed_between_call_and_record(
        self, slack: SlackServer, company: Company, at: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SLACK_CHANNEL = "C0ONCALL1"
        slack.posted_at(at)
        begun(at)
        with monkeypatch.context() as broken:
            broken.setattr(slack_threads, "_record", _dies)
            with pytest.raises(SystemError):
                slack_threads.sweep(at)
        tell(at + 30 * SECOND)
        assert len(slack.messages) == 1, "another worker's lease"
        tell(at + 90 * SECOND)
        assert len(slack.messages) == 1 and SlackThread.objects.get().ts

    @pytest.mark.parametrize("error", ["invalid_auth", "channel_not_found", "not_in_channel"])
    def test_what_will_never_work_waits_for_the_next_word(
        self, slack: SlackServer, company: Company, at: datetime, error: str
    ) -> None:
        chat = begun(at)
        slack.refuse_next(error)
        tell(at)
        thread = SlackThread.objects.get()
        assert error in thread.error and thread.due_at is None
        assert chat.visit is not None
        say(chat.visit, chat, "Hello?", at=at + SECOND)
        work(at + SECOND)
        tell(at + 10 * SECOND)
        (first,) = slack.messages
        assert "My site is down?" in str(first.blocks) and "Hello?" in str(first.blocks)

    def test_slack_that_is_away_costs_the_chat_nothing(
        self, slack: SlackServer, company: Company, at: datetime
    ) -> None:
        chat = begun(at)
        slack.cut_next(times=50)
        tell(at)
        calls = len(slack.received)
        conversations.reply(chat.pk, company.grace, "Here I am", at=at + SECOND)
        work(at + SECOND)
        assert Message.objects.get(kind="outbound").delivery == "sent" and len(slack.received) == calls
        assert slack_posts.EVENT_TYPE and slack_threads.sweep(at + SECOND) == 0


@pytest.fixture
def live(slack: SlackServer, company: Company) -> tuple[Chat, SlackMessage]:
    """A chat of now, since Slack's calls are good for five minutes; and the message that began its thread."""
    at = timezone.now()
    chat = begin(visitor(at, signed=UMA), "My site is down?", at=at, leisurely=True)
    Chat.objects.filter(pk=chat.pk).update(mode="chat", state="waiting", ended_at=None)
    SlackThread.objects.create(chat=chat, due_at=at)
    work(at)
    tell(at)
    return chat, slack.messages[0]


def post(told: tuple[dict[str, str], bytes], path: str = EVENTS) -> int:
    headers, raw = told
    answer = Client().post(path, data=raw, content_type=headers["Content-Type"], headers=headers)
    while outbox.drain(timezone.now()):
        pass
    return answer.status_code


class TestReplies:
    def test_a_word_in_the_thread_is_an_internal_note(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        chat, first = live
        grace = slack.hire("grace", "Grace@demo.example")
        _written, told = slack.write(
            first, "is that <https://x.example|the shop> &amp; &lt;b&gt;?", timezone.now(), user=grace
        )
        assert post(told) == 200 and post(told) == 200
        note = Message.objects.get(kind="note")
        assert (note.agent, note.text) == (company.grace, "is that the shop (https://x.example) & <b>?")
        assert note.remark == "From Slack" and not Message.objects.filter(kind="outbound").exists()
        assert Chat.objects.get(pk=chat.pk).state == "waiting" and not slack.whispers

    @pytest.mark.parametrize("word", ["!reply ", "!Reply\n", "!REPLY   "])
    def test_answering_the_customer_is_said_plainly(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage], word: str
    ) -> None:
        chat, first = live
        grace = slack.hire("grace", "grace@demo.example")
        _written, told = slack.write(first, f"{word}We restart it now.", timezone.now(), user=grace)
        assert post(told) == 200 and post(told) == 200
        sent = Message.objects.get(kind="outbound", agent=company.grace)
        assert (sent.text, sent.via) == ("We restart it now.", "chat")
        assert Chat.objects.get(pk=chat.pk).state == "active", "who answers has joined"
        tell(timezone.now() + 10 * SECOND)
        assert "✅ _Sent to the customer by Grace Hopper_" in slack.thread(first)[-1].text

    def test_only_the_word_itself_counts(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        grace = slack.hire("grace", "grace@demo.example")
        for text in ("!replying is for later", "> quoted", "they said !reply x"):
            post(slack.write(first, text, timezone.now(), user=grace)[1])
        post(slack.write(first, "!reply", timezone.now(), user=grace)[1])
        assert Message.objects.filter(kind="note").count() == 3 and not Message.objects.filter(kind="outbound").exists()
        assert [words for _user, words in slack.whispers] == ["Nothing was sent: write the answer behind !reply."]

    @pytest.mark.parametrize(
        ("email", "more"),
        [
            (None, {}),
            ("mallory@evil.example", {}),
            ("grace@demo.example", {"team": "T0OTHER"}),
            ("grace@demo.example", {"deleted": True}),
            ("grace@demo.example", {"is_bot": True}),
        ],
    )
    def test_whom_nobody_knows_is_told_so_and_nothing_is_sent_or_kept(
        self,
        slack: SlackServer,
        company: Company,
        live: tuple[Chat, SlackMessage],
        email: str | None,
        more: dict[str, object],
    ) -> None:
        _chat, first = live
        who = slack.hire("someone", email, **more)  # type: ignore[arg-type]
        for text in ("!reply Hello customer", "a note"):
            assert post(slack.write(first, text, timezone.now(), user=who)[1]) == 200
        assert not Message.objects.exclude(kind="inbound").exists()
        assert [user for user, words in slack.whispers if "do not know you" in words] == [who, who]

    def test_viewers_write_notes_and_nothing_else(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        User.objects.filter(pk=company.linus.pk).update(role=User.Role.VIEWER)
        linus = slack.hire("linus", "linus@demo.example")
        post(slack.write(first, "a note", timezone.now(), user=linus)[1])
        post(slack.write(first, "!reply hello", timezone.now(), user=linus)[1])
        assert (
            Message.objects.get(kind="note").text == "a note" and not Message.objects.filter(kind="outbound").exists()
        )
        assert "may write notes" in slack.whispers[0][1]

    def test_what_an_agent_may_not_see_they_do_not_answer(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        chat, first = live
        Conversation.objects.filter(pk=chat.pk).update(team=Team.objects.create(name="Board", is_private=True))
        linus = slack.hire("linus", "linus@demo.example")
        post(slack.write(first, "!reply hello", timezone.now(), user=linus)[1])
        assert not Message.objects.exclude(kind="inbound").exists() and "not among those" in slack.whispers[0][1]

    def test_slack_that_does_not_say_who_it_was_is_asked_again(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        grace = slack.hire("grace", "grace@demo.example")
        told = slack.write(first, "!reply hello", timezone.now(), user=grace)[1]
        slack.limit_next(retry_after=30)
        assert post(told) == 200 and not Message.objects.filter(kind="outbound").exists()
        outbox.drain(timezone.now() + 40 * SECOND)
        assert Message.objects.get(kind="outbound").text == "hello"

    def test_what_others_write_elsewhere_is_not_ours(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        grace = slack.hire("grace", "grace@demo.example")
        elsewhere = SlackMessage(first.channel, "1600000000.000001", "x", [])
        post(slack.write(elsewhere, "!reply hello", timezone.now(), user=grace)[1])
        post(slack.write(first, "!reply from a bot", timezone.now(), user=grace, bot_id="B1")[1])
        post(
            slack.event(
                {"type": "message", "channel": first.channel, "ts": "1", "user": grace}, timezone.now(), event_id="E"
            )
        )
        post(slack.event({"type": "reaction_added"}, timezone.now(), event_id="E2"))
        assert not Message.objects.exclude(kind="inbound").exists()
        assert not Hook.objects.exclude(state="done").exists()

    def test_an_unsigned_word_changes_nothing(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        grace = slack.hire("grace", "grace@demo.example")
        headers, raw = slack.write(first, "!reply hello", timezone.now(), user=grace)[1]
        assert post((headers, raw + b" ")) == 403 and not Hook.objects.exists()

    def test_what_cannot_be_read_stays_visible(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        event = {"type": "message", "thread_ts": first.ts, "ts": "1.3", "text": "!reply x"}
        post(slack.event(event, timezone.now(), event_id="E3"))
        assert Hook.objects.get().state == "quarantined"

    def test_edits_and_deletions_change_nothing_and_are_said(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        grace = slack.hire("grace", "grace@demo.example")
        written, told = slack.write(first, "!reply We restart it.", timezone.now(), user=grace)
        post(told)
        edited = slack.edit(written, "!reply We delete it.", timezone.now())
        post(edited)
        post(edited)
        post(slack.edit(written, None, timezone.now()))
        other, _untold = slack.write(first, "never told", timezone.now(), user=grace)
        post(slack.edit(other, "still not", timezone.now()))
        assert Message.objects.get(kind="outbound").text == "We restart it."
        notes = [note.text for note in Message.objects.filter(kind="note").order_by("pk")]
        assert len(notes) == 2 and "was edited in Slack" in notes[0] and "was deleted in Slack" in notes[1]

    def test_the_shortcut_sends_a_message_once_whoever_chooses_it(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        grace, ada = slack.hire("grace", "grace@demo.example"), slack.hire("ada", "ada@demo.example")
        written, told = slack.write(first, "Please try again now.", timezone.now(), user=grace)
        post(told)
        assert post(slack.choose(written, timezone.now(), user=ada), INTERACTIVITY) == 200
        sent = Message.objects.get(kind="outbound")
        assert (sent.agent, sent.text) == (company.ada, "Please try again now.")
        post(slack.choose(written, timezone.now(), user=grace), INTERACTIVITY)
        assert Message.objects.filter(kind="outbound").count() == 1
        assert slack.whispers == [(grace, "This message was sent to the customer before.")]
        post(slack.choose(slack.messages[0], timezone.now(), user=ada), INTERACTIVITY)
        assert Message.objects.filter(kind="outbound").count() == 1, "our own message is nobody's answer"

    def test_files_stay_in_slack_and_it_is_said(
        self, slack: SlackServer, company: Company, live: tuple[Chat, SlackMessage]
    ) -> None:
        _chat, first = live
        grace = slack.hire("grace", "grace@demo.example")
        files = [{"id": "F1", "name": "log.txt", "url_private": "https://files.slack.example/x"}]
        more: dict[str, Any] = {"subtype": "file_share", "files": files}
        post(slack.write(first, "the log", timezone.now(), user=grace, **more)[1])
        post(slack.write(first, "!reply see the log", timezone.now(), user=grace, **more)[1])
        assert Message.objects.get(kind="note").text == "the log\n📎 log.txt (in Slack)"
        assert Message.objects.get(kind="outbound").text == "see the log" and "not passed on" in slack.whispers[0][1]


def _dies(*_args: object, **_kwargs: object) -> None:
    raise SystemError("the worker was killed here")
