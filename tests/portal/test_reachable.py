"""Every portal object is reachable by its owner alone: all addresses × (owner, manager, colleague, stranger, signed
out, blocked). A new address fails here until somebody says who may have it.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pytest
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.timezone import now

from chat import frames, routing
from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Attachment, Conversation, Message
from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, CustomerSession, Identity, Team
from portal import erasing, exporting, linking
from portal.models import Export
from tests.fixtures.company import Company
from tests.fixtures.customers import session_of
from tests.fixtures.desk import write
from tests.portal.conftest import SignedIn

pytestmark = pytest.mark.django_db

WHO: Final = ("owner", "manager", "colleague", "stranger", "nobody", "blocked")
# Of an owner's conversation: they and the managers of their company.
OF_CONVERSATION: Final = {"conversation", "news", "answer", "close", "reopen", "message_html", "message_full", "file"}
# Of a customer alone; somebody else's is not there for anybody.
OF_CUSTOMER: Final = {"confirm_address", "remove_identity", "end_session", "export"}
# Everybody's own, who is signed in.
OWN: Final = {
    *("services", "plan", "chats", "account", "profile", "mails", "add_address", "add_account", "end_sessions"),
    *("password", "ask_export", "ask_erasure", "take_erasure_back"),
}
# The way in, and what a signed link alone opens.
# An agent's.
DESK: Final = {"entitlements"}
OPEN: Final = {"home", "ask", "code", "link", "sign_out", "password_sign_in", "oidc", "oidc_callback", "keep"}
# For browsers of agents before they log in.
PUBLIC: Final = {"/desk/login/", "/desk/logout/", "/desk/password/reset/"}
POSTS: Final = {
    *("answer", "close", "reopen", "confirm_address", "remove_identity", "end_session", "profile", "mails"),
    *("add_address", "add_account", "end_sessions", "password", "ask_export", "ask_erasure", "take_erasure_back"),
}
WRITES: Final = {"text": "Hello", "code": "LINK-AAAA-AAAA", "name": "Someone"}


@dataclass(frozen=True)
class World:
    people: dict[str, Customer]
    keys: dict[str, object]
    conversation: Conversation


@pytest.fixture
def world(company: Company, at: datetime) -> World:
    owner = company.carol
    company_of = owner.organization
    people = {"owner": owner, "stranger": company.gil}
    for name in ("manager", "colleague", "blocked"):
        people[name] = Customer.objects.create(
            name=name, email=f"{name}@acme.example", organization=company_of, created_at=at,
            is_manager=name != "colleague", blocked_at=at if name == "blocked" else None,
        )  # fmt: skip
    conversation = write(
        owner, at, subject="Private words", text="of the owner", html="<p>of the owner</p>",
        files=(File("plan.txt", "text/plain", b"of the owner"),),
    )  # fmt: skip
    session = CustomerSession.objects.create(
        customer=owner, digest="d" * 64, how="link", began_at=at, seen_at=at, ends_at=at.replace(year=2099)
    )
    other = Identity.objects.create(customer=owner, channel="telegram", handle="carol")
    path = default_storage.save("exports/x.zip", ContentFile(b"of the owner"))
    export = Export.objects.create(customer=owner, asked_at=at, ready_at=at, ends_at=at.replace(year=2099), path=path)
    row = linking.ask_for_address(owner, "carol@home.example", at=now())
    message = Message.objects.filter(conversation=conversation).earliest("pk")
    keys: dict[str, object] = dict.fromkeys(("conversation", "news", "answer", "close", "reopen"), conversation.pk)
    keys |= {"message_html": message.pk, "message_full": message.pk, "file": Attachment.objects.latest("pk").pk}
    keys |= {"confirm_address": row.pk, "remove_identity": other.pk, "end_session": session.pk}
    keys["export"] = signing.Signer(salt=exporting.SALT).sign(str(export.pk))
    return World(people, keys, conversation)


def _names() -> set[str]:
    found = set()
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and resolver.app_name == "portal":
            found |= {one.name for one in resolver.url_patterns if isinstance(one, URLPattern) and one.name}
    return found


def _ask(browser: Client, name: str, world: World) -> tuple[int, bytes]:
    """The status, and all that was answered."""
    key = world.keys.get(name)
    path = reverse(f"portal:{name}", args=[] if key is None else [key])
    answer = browser.post(path, WRITES) if name in POSTS else browser.get(path)
    content = b"".join(answer) if answer.streaming else answer.content
    if answer.status_code == 302 and answer["Location"].startswith("/portal/?next"):
        return 401, content
    return (
        401 if answer.status_code == 302 and name not in OPEN and not _is_in(browser) else answer.status_code
    ), content


def _is_in(browser: Client) -> bool:
    return b'type="email"' not in browser.get("/portal/").content


def test_every_address_has_its_line_here() -> None:
    assert _names() == OF_CONVERSATION | OF_CUSTOMER | OWN | OPEN | DESK


def test_the_matrix(world: World, signed_in: SignedIn) -> None:
    wrong = []
    for name in sorted(OF_CONVERSATION | OF_CUSTOMER | OWN):
        for who in WHO:
            browser = Client() if who == "nobody" else signed_in(world.people[who])
            status, content = _ask(browser, name, world)
            if who in ("nobody", "blocked"):
                # Led to the way in; what only posts leads there without the address.
                expected = {401, 302} if who == "blocked" and name in POSTS else {401}
            elif name in OWN:
                expected = {200, 302, 401, 422}  # their own, of which nothing is another's
            elif who == "owner" or (who == "manager" and name in OF_CONVERSATION):
                expected = {200, 204, 302, 422}
            elif name == "remove_identity":
                expected = {302}  # nothing happens: seen below
            elif name == "end_session":
                expected = {302}
            elif name == "confirm_address":
                expected = {422}
            else:
                expected = {404}
            if status not in expected or (b"of the owner" in content and expected == {404}):
                wrong.append((name, who, status))
            if who != "owner":
                assert Identity.objects.filter(pk=world.keys["remove_identity"]).exists()
                assert CustomerSession.objects.filter(pk=world.keys["end_session"]).exists()
            else:
                _put_back(world)
    assert not wrong


def _put_back(world: World) -> None:
    """What the owner has just removed."""
    owner, at = world.people["owner"], now()
    Identity.objects.get_or_create(
        pk=world.keys["remove_identity"], defaults={"customer": owner, "channel": "telegram", "handle": "carol"}
    )
    defaults = {
        "customer": owner,
        "digest": "d" * 64,
        "how": "link",
        "began_at": at,
        "seen_at": at,
        "ends_at": at.replace(year=2099),
    }
    CustomerSession.objects.get_or_create(pk=world.keys["end_session"], defaults=defaults)
    erasing.take_back(owner.pk, at=at)


def test_lists_hold_the_same(world: World, signed_in: SignedIn) -> None:
    for who in ("owner", "manager"):
        for query in ("", "?whose=", "?q=words", f"?q=%23{world.conversation.pk}", "?state=open"):
            assert b"Private words" in signed_in(world.people[who]).get(f"/portal/{query}").content, (who, query)
    for who in ("colleague", "stranger", "blocked"):
        for query in ("", "?whose=company", "?q=words", f"?q=%23{world.conversation.pk}"):
            assert b"Private words" not in signed_in(world.people[who]).get(f"/portal/{query}").content, (who, query)


def test_what_is_moved_to_a_private_team_stays_its_owners(world: World, signed_in: SignedIn, company: Company) -> None:
    abuse = Team.objects.create(name="Abuse of trust", is_private=True)
    Conversation.objects.filter(pk=world.conversation.pk).update(team=abuse)
    for name in sorted(OF_CONVERSATION):
        assert _ask(signed_in(world.people["manager"]), name, world)[0] == 404, name
    assert b"Private words" not in signed_in(world.people["manager"]).get("/portal/").content
    assert _ask(signed_in(world.people["owner"]), "conversation", world)[0] == 200


def test_a_manager_of_no_company_and_of_another_sees_nothing(world: World, signed_in: SignedIn) -> None:
    for change in ({"organization": None}, {"organization": world.people["stranger"].organization}):
        Customer.objects.filter(pk=world.people["manager"].pk).update(**change)
        browser = signed_in(world.people["manager"])
        assert _ask(browser, "conversation", world)[0] == 404
        assert b"Private words" not in browser.get("/portal/").content


def test_notes_forwards_and_what_may_be_taken_back_are_never_shown(
    world: World, company: Company, signed_in: SignedIn
) -> None:
    pk, at = world.conversation.pk, now()
    files = [File("secret.txt", "text/plain", b"a secret")]
    conversations.note(pk, company.grace, "a secret note", at=at, files=files)
    forwarded = conversations.reply(pk, company.grace, "a secret forward", at=at)
    Message.objects.filter(pk=forwarded.pk).update(via="forward", delivery="sent")
    taken_back = conversations.reply(pk, company.grace, "a secret second thought", at=at)
    hidden = list(Message.objects.filter(text__contains="a secret").values_list("pk", flat=True))
    assert len(hidden) == 3
    browser = signed_in(world.people["owner"])
    for path in ("", "?q=secret", f"conversations/{pk}/", f"conversations/{pk}/news/?after=0"):
        assert b"a secret" not in browser.get(f"/portal/{path}").content, path
    for message in hidden:
        assert browser.get(f"/portal/messages/{message}/full/").status_code == 404
        assert browser.get(f"/portal/messages/{message}/html/").status_code == 404
    for file in Attachment.objects.filter(message__in=hidden):
        assert browser.get(f"/portal/files/{file.pk}/").status_code == 404
    # Ten seconds later it has left, and is there to be read.
    Message.objects.filter(pk=taken_back.pk).update(delivery="sent")
    assert b"a secret second thought" in browser.get(f"/portal/conversations/{pk}/").content


def test_what_was_merged_leads_on_only_to_ones_own(world: World, signed_in: SignedIn, at: datetime) -> None:
    foreign = write(world.people["stranger"], at, subject="Foreign")
    own = write(world.people["owner"], at, subject="Own")
    Conversation.objects.filter(pk=own.pk).update(merged_into=foreign)
    browser = signed_in(world.people["owner"])
    assert browser.get(f"/portal/conversations/{own.pk}/").status_code == 404
    Conversation.objects.filter(pk=own.pk).update(merged_into=world.conversation)
    assert browser.get(f"/portal/conversations/{own.pk}/")["Location"].endswith(f"/{world.conversation.pk}/")


def test_files_and_html_do_nothing(world: World, signed_in: SignedIn) -> None:
    browser = signed_in(world.people["owner"])
    file = browser.get(reverse("portal:file", args=[world.keys["file"]]))
    assert file["Content-Type"] == "application/octet-stream" and "attachment" in file["Content-Disposition"]
    html = browser.get(reverse("portal:message_html", args=[world.keys["message_html"]]))
    assert "sandbox" in html["Content-Security-Policy"] and "no-store" in html["Cache-Control"]


def _plain_paths(patterns: list[URLPattern | URLResolver], before: str) -> list[str]:
    """Every address without arguments."""
    found: list[str] = []
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            found += _plain_paths(one.url_patterns, route)
        elif not set("<(^$?") & set(route):
            found.append(f"/{route}")
    return found


def test_a_customers_session_opens_neither_the_desk_nor_the_api(world: World, signed_in: SignedIn) -> None:
    browser = signed_in(world.people["manager"])
    paths = [path for path in _plain_paths(get_resolver().url_patterns, "") if path.startswith("/desk/")]
    pk, message = world.conversation.pk, world.keys["message_full"]
    file = world.keys["file"]
    paths += [f"/desk/conversations/{pk}/", f"/desk/messages/{message}/full/", f"/desk/attachments/{file}/"]
    api = [f"conversations/{pk}/", f"conversations/{pk}/messages/", f"attachments/{file}/content/", "search/"]
    api += ["conversations/", "customers/", "organizations/", "audit/", f"customers/{world.people['owner'].pk}/"]
    assert len(paths) > 50
    for path in [*paths, *(f"/api/v1/{one}" for one in api)]:
        answer = browser.get(path)
        is_sent_away = answer.status_code == 302 and "/login" in answer["Location"]
        assert is_sent_away or answer.status_code in (401, 403, 404, 405) or path in PUBLIC, (path, answer.status_code)


async def _said_by(path: str, cookie: str) -> list[Any]:
    """What a socket says to somebody who comes with this session as cookie and in the hello."""
    hello = {"t": "hello", "v": frames.VERSION, "session": cookie}
    given = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": json.dumps(hello)}])
    said: list[Any] = []

    async def receive() -> Any:
        return next(given, {"type": "websocket.disconnect"})

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"cookie", f"{sessions.COOKIE}={cookie}; sessionid={cookie}".encode())]
    await routing.websockets({"type": "websocket", "path": path, "headers": headers}, receive, send)
    return said


def test_a_customers_session_opens_no_socket(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # The connections of the sockets' threads end with each question: the database of the tests is dropped in the end.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    cookie = session_of(world.people["owner"])
    assert len(routing.SOCKETS) == 2, "each has its line here"
    for path in routing.SOCKETS:
        accepted, *said = asyncio.run(_said_by(path, cookie))
        assert accepted["type"] == "websocket.accept"
        assert said == [{"type": "websocket.close", "code": frames.LOGGED_OUT}], path
    assert asyncio.run(_said_by("/ws/portal", cookie)) == [{"type": "websocket.close"}]
