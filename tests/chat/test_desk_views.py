"""Chats on the desk: the pane, what is done there, the page of all chats, one's own profile, the API."""

import struct
import zlib
from datetime import datetime
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from chat import agents, handling, offers, pictures, visitor_log
from chat.models import Chat, ChatAgent
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers.actions import create_token
from helpdesk.customers.models import Team, User
from helpdesk.events import outbox
from tests.chat.continuing import begin, visitor
from tests.chat.waiting import UMA, chat_of, fresh, there
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(company: Company, at: datetime) -> Chat:
    there(company.grace)
    return chat_of(at)


def _path(chat: Chat, what: str) -> str:
    return f"/desk/chats/{chat.pk}/{what}/"


def _pane(user: User, chat: Chat) -> str:
    return logged_in(user).get(f"/desk/conversations/{chat.pk}/").content.decode()


class TestPane:
    def test_a_chat_that_waits(self, company: Company, chat: Chat) -> None:
        page = _pane(company.grace, chat)
        assert "Waiting, number 1" in page and "/taking/" in page
        assert "Verified" in page and "Not verified" not in page
        assert "/take/" not in page, "the ticket's own button would not know of others who take it"

    def test_nobody_vouches_for_strangers(self, company: Company, at: datetime) -> None:
        stranger = begin(visitor(at), "Hello", at=at, email=UMA)
        assert "Not verified" in _pane(company.grace, stranger)

    def test_offered_to_me_with_the_time_that_is_left(self, company: Company, chat: Chat) -> None:
        Chat.objects.filter(pk=chat.pk).update(offered_to=company.grace, offered_until=now() + offers.LASTS)
        assert "Decline" in _pane(company.grace, chat)
        assert "offered to Grace Hopper" in _pane(company.linus, chat)

    def test_mine(self, company: Company, chat: Chat, at: datetime) -> None:
        handling.take(chat.pk, company.grace, at=at)
        page = _pane(company.grace, chat)
        for words in ("Right back", "Anything else?", "Hand on", "Ticket …", "End chat", "data-enter-sends"):
            assert words in page
        assert "Take over" not in _pane(company.linus, chat)
        assert "Take over" in _pane(company.ada, chat)

    def test_a_nudge_is_seen(self, company: Company, chat: Chat, at: datetime) -> None:
        handling.take(chat.pk, company.grace, at=at)
        Chat.objects.filter(pk=chat.pk).update(nudge="waits")
        assert "The customer waits for your answer." in _pane(company.grace, chat)

    def test_a_hostile_page_is_no_link(self, company: Company, chat: Chat) -> None:
        assert chat.visit is not None
        type(chat.visit).objects.update(page_url="javascript:alert(1)", page_title="<script>")
        page = _pane(company.grace, chat)
        assert "javascript:alert" not in page and "<script>" not in page.split("<body", 1)[1]

    def test_news_bring_it(self, company: Company, chat: Chat, at: datetime) -> None:
        client = logged_in(company.grace)
        handling.take(chat.pk, company.grace, at=at)
        answer = client.get(f"/desk/conversations/{chat.pk}/news/?seq=1&last=0&at={at.isoformat()}&all=1")
        assert 'id="chat"' in answer.content.decode() and "Right back" in answer.content.decode()

    def test_mail_has_none_of_it(self, company: Company, at: datetime) -> None:

        assert (
            'id="chat"'
            not in logged_in(company.grace).get(f"/desk/conversations/{write(company.carol, at).pk}/").content.decode()
        )


class TestWriting:
    def _answer(self, user: User, chat: Chat, **more: str) -> None:
        data = {"kind": "reply", "text": "I am here.", "client_id": str(uuid4()), **more}
        answer = logged_in(user).post(f"/desk/conversations/{chat.pk}/messages/", data)
        assert answer.status_code == 302 and "sent=" not in answer["Location"]

    def test_whoever_answers_has_it_and_it_stays_open(self, company: Company, chat: Chat) -> None:
        self._answer(company.grace, chat)
        assert fresh(chat).state == Chat.State.ACTIVE
        assert fresh(chat).conversation.assignee == company.grace
        assert fresh(chat).conversation.status == Status.OPEN

    def test_it_arrives_at_once(self, company: Company, chat: Chat) -> None:

        self._answer(company.grace, chat)
        outbox.drain(now())
        assert Message.objects.get(conversation=chat.pk, kind="outbound").delivery == Message.Delivery.SENT

    def test_a_note_joins_nobody(self, company: Company, chat: Chat) -> None:
        data = {"kind": "note", "text": "I whisper.", "client_id": str(uuid4())}
        logged_in(company.grace).post(f"/desk/conversations/{chat.pk}/messages/", data)
        assert fresh(chat).state == Chat.State.WAITING


class TestActs:
    def test_take_and_the_second_sees_who_was_first(self, company: Company, chat: Chat) -> None:
        logged_in(company.grace).post(_path(chat, "taking"))
        answer = logged_in(company.linus).post(_path(chat, "taking"), follow=True)
        assert "Grace Hopper has taken it." in answer.content.decode()
        assert fresh(chat).conversation.assignee == company.grace

    def test_taking_over_is_for_leads(self, company: Company, chat: Chat, at: datetime) -> None:
        handling.take(chat.pk, company.grace, at=at)
        assert logged_in(company.linus).post(_path(chat, "taking-over")).status_code == 403
        logged_in(company.ada).post(_path(chat, "taking-over"))
        assert fresh(chat).conversation.assignee == company.ada

    def test_hold_more_and_end(self, company: Company, chat: Chat, at: datetime) -> None:
        client = logged_in(company.grace)
        handling.take(chat.pk, company.grace, at=at)
        for act in ("hold", "anything-else", "end"):
            assert client.post(_path(chat, act)).status_code == 302
        said = (
            Message.objects.filter(conversation=chat.pk, kind="outbound").order_by("pk").values_list("text", flat=True)
        )
        assert list(said) == ["I'll check and be right back.", "Is there anything else I can help you with?"]
        by = [frame["d"]["by"] for frame in visitor_log.after({chat.pk: 0})[chat.pk] if frame["t"] == "msg.new"]
        assert [(one["k"], one["name"]) for one in by] == [("customer", "Uma Singh"), *[("agent", "Grace")] * 2]
        assert fresh(chat).state == Chat.State.ENDED
        assert "not live any more" in client.post(_path(chat, "hold"), follow=True).content.decode()

    def test_to_a_ticket_with_subject_and_category(self, company: Company, chat: Chat) -> None:
        client = logged_in(company.grace)
        assert client.post(_path(chat, "ticket"), {"subject": " "}).status_code == 422
        client.post(_path(chat, "ticket"), {"subject": "Site down", "category": "Outage"})
        found = fresh(chat)
        assert (found.mode, found.conversation.subject) == (Chat.Mode.TICKET, "Site down")
        assert set(found.conversation.tags.values_list("name", flat=True)) >= {"outage"}
        assert Conversation.objects.count() == 1

    def test_hand_on(self, company: Company, chat: Chat, at: datetime) -> None:
        client = logged_in(company.grace)
        handling.take(chat.pk, company.grace, at=at)
        assert "Linus" in client.get(_path(chat, "handing-on")).content.decode()
        assert client.post(_path(chat, "handing-on"), {"to": "agent:99999"}).status_code == 422
        assert client.post(_path(chat, "handing-on"), {"to": "nonsense"}).status_code == 422
        client.post(_path(chat, "handing-on"), {"to": f"agent:{company.linus.pk}", "note": "Please."})
        assert fresh(chat).offered_to == company.linus
        told = visitor_log.after({chat.pk: 0})[chat.pk][-1]
        assert (told["t"], told["d"]["k"], told["d"]["by"]["name"]) == ("sys", "handed", "Grace")

    def test_chats_of_private_teams_are_closed_to_others(self, company: Company, chat: Chat) -> None:
        team = Team.objects.create(name="Secret", is_private=True)
        Conversation.objects.filter(pk=chat.pk).update(team=team)
        client = logged_in(company.grace)
        for act in ("taking", "declining", "hold", "anything-else", "end"):
            assert client.post(_path(chat, act)).status_code == 404
        assert client.get(_path(chat, "ticket")).status_code == 404
        assert "Uma" not in client.get("/desk/chats/").content.decode()
        assert "Uma" in logged_in(company.ada).get("/desk/chats/").content.decode()


def test_the_page_of_all_chats(company: Company, chat: Chat, at: datetime) -> None:
    other = begin(visitor(at), "Second", at=at, name="Zoe")
    handling.take(other.pk, company.linus, at=at)
    page = logged_in(company.ada).get("/desk/chats/").content.decode()
    assert "Uma Singh" in page and "Zoe" in page and "Take over" in page and "Whisper" in page
    part = logged_in(company.ada).get("/desk/chats/", headers={"HX-Request": "true", "HX-Target": "chats"})
    assert "<html" not in part.content.decode()


def test_the_number_of_those_who_wait_stands_in_the_navigation(company: Company, chat: Chat) -> None:
    page = logged_in(company.grace).get("/desk/navigation/").content.decode()
    assert 'data-count="chats">1<' in page


def _png(side: int, *, colour: int = 6, depth: int = 8, points: bytes | None = None, extra: bytes = b"") -> bytes:
    line = b"\x00" + b"\x80" * (side * {2: 3, 6: 4}[colour])
    head = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    packed = zlib.compress(line * side if points is None else points)
    parts = [(b"IHDR", head), (b"tEXt", b"Comment\x00where I live"), (b"IDAT", packed), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body + extra


class TestPictures:
    def test_only_the_points_stay(self) -> None:
        made = pictures.repacked(_png(64, extra=b"<script>"))
        assert b"where I live" not in made and b"<script>" not in made
        assert pictures.repacked(made) == made

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"GIF89a",
            _png(300),
            _png(64, depth=16),
            _png(64)[:60],
            _png(64, points=b"\x00" * 5),
            _png(64, points=b"\x00" * 50_000_000),
            _png(8, points=b"\x09" + b"\x00" * (33 * 8 - 1)),
        ],
    )
    def test_anything_else_is_none(self, content: bytes) -> None:
        with pytest.raises(pictures.NoPicture):
            pictures.repacked(content)

    def test_it_is_kept_and_seen_where_it_is_shown(self, company: Company) -> None:
        client = logged_in(company.grace)
        data = {"public_name": "Gracie", "capacity": "4", "skills": "DE, billing, de", "is_shown": "on"}
        file = SimpleUploadedFile("me.png", _png(64), "image/png")
        assert client.post("/desk/chats/profile/", {**data, "picture": file}).status_code == 302
        agent = ChatAgent.objects.get(user=company.grace)
        assert (agent.public_name, agent.capacity, agent.skills) == ("Gracie", 4, ["de", "billing"])
        assert not agent.enter_sends
        assert client.get("/desk/chats/profile/picture/")["Content-Type"] == "image/png"
        address = f"/chat/pictures/{agent.pk}/{agent.picture[:16]}"
        assert Client().get(address).status_code == 200
        client.post("/desk/chats/profile/", {**data, "is_shown": ""})
        assert Client().get(address).status_code == 404

    def test_no_picture_is_refused_with_a_reason(self, company: Company) -> None:
        file = SimpleUploadedFile("me.jpg", b"\xff\xd8\xff", "image/jpeg")
        answer = logged_in(company.grace).post("/desk/chats/profile/", {"capacity": "3", "picture": file})
        assert answer.status_code == 422 and "square PNG" in answer.content.decode()


class TestApi:
    def _client(self, user: User) -> Client:
        return Client(headers={"Authorization": f"Token {create_token(user, 'test', at=now())}"})

    def test_all_are_listed_and_each_changes_their_own(self, company: Company, chat: Chat, at: datetime) -> None:
        handling.take(chat.pk, company.grace, at=at)
        client = self._client(company.grace)
        listed = client.get("/api/v1/chat-agents/").json()["results"]
        assert {row["name"]: row["chats"] for row in listed}["Grace Hopper"] == 1
        own = f"/api/v1/chat-agents/{company.grace.pk}/"
        answer = client.patch(own, {"capacity": 5, "skills": ["DE"], "state": "away"}, "application/json")
        assert (answer.json()["capacity"], answer.json()["skills"], answer.json()["state"]) == (5, ["de"], "away")
        others = f"/api/v1/chat-agents/{company.linus.pk}/"
        assert client.patch(others, {"capacity": 5}, "application/json").status_code == 403
        assert client.patch(own, {"capacity": 0}, "application/json").status_code == 400

    def test_an_admin_sends_away_but_makes_nobody_available(self, company: Company, at: datetime) -> None:
        agents.choose(company.grace, "available", at=at)
        client, path = self._client(company.ada), f"/api/v1/chat-agents/{company.grace.pk}/"
        assert client.patch(path, {"state": "away"}, "application/json").json()["state"] == "away"
        assert client.patch(path, {"state": "available"}, "application/json").status_code == 403
