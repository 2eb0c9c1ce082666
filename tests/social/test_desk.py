"""Beside a conversation on a network: what agents see, count, answer, open and post by hand."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.timezone import now

from helpdesk.conversations.files import content_of
from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, CustomerSession, Organization, Service, Team
from helpdesk.events import outbox
from helpdesk.events.models import Event
from helpdesk.sla.models import Clock
from social import abuse, answering, following, moving, on_behalf, topics
from social.happenings import Edited
from social.models import Account, Approval, ApprovalFile, Person, Post, Thread, TicketClaim, Topic
from social.network import Sent
from social.networks.facebook import Facebook
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, picture, write
from tests.social.talk import account_on, said_to

pytestmark = pytest.mark.django_db


def _page(browser: Client, conversation: Conversation) -> str:
    answer = browser.get(reverse("tickets:conversation", args=[conversation.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def _answer(browser: Client, conversation: Conversation, text: str, **more: object) -> tuple[int, str]:
    said = {"kind": "reply", "text": text, "client_id": str(uuid4()), "seen": "", **more}
    answer = browser.post(reverse("tickets:answer", args=[conversation.pk]), said)
    return answer.status_code, answer.content.decode()


def _signed_in(customer: Customer) -> Client:
    client = Client()
    request = RequestFactory().get("/")
    client.cookies[sessions.COOKIE] = sessions.begin(customer, CustomerSession.How.LINK, request, at=now())
    return client


def test_the_page_says_where_we_are_and_as_whom(company: Company, at: datetime) -> None:
    x = account_on("x", at)
    public = said_to(x, "Is web14 down?", at, may_dm=True)
    page = _page(logged_in(company.grace), public)
    assert "PUBLIC" in page and "answered as @demo" in page and "Not verified" in page
    assert "may be written to in private" in page and "https://network.example/maria/" in page
    assert "costs $0.20" in page, "a link on X"

    until = now() + timedelta(minutes=30)
    private = said_to(x, "Hello", at, who="otto", is_public=False, window_ends_at=until)
    page = _page(logged_in(company.grace), private)
    assert "PRIVATE" in page and "X: until" in page and "costs $0" not in page
    Thread.objects.filter(pk=private.pk).update(window_ends_at=at)
    assert "the time to answer is over" in _page(logged_in(company.grace), private)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("reauth_required", "must be connected again. Answers wait here"),
        ("paused", "is paused. Answers wait here"),
        ("not_connected", "is not connected. Answers wait here"),
        ("degraded", "Answers are tried again"),
    ],
)
def test_the_accounts_health_says_what_becomes_of_answers(
    state: str, words: str, company: Company, at: datetime
) -> None:
    conversation = said_to(account_on("x", at), "Hi", at)
    Account.objects.update(state=state, state_detail="so it is")
    page = _page(logged_in(company.grace), conversation)
    assert words in page and "(so it is)" in page
    Person.objects.update(muted_at=at, blocked_at=at, unreachable_at=at)
    page = _page(logged_in(company.grace), conversation)
    assert all(mark in page for mark in ("Muted", "Blocked", "Cannot be written to"))


def test_who_did_not_mention_us_is_said_before_sending(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at), "Demo is slow", at, names_us=False, may_dm=True)
    page = _page(logged_in(company.grace), conversation)
    assert "They did not mention us" in page and "https://x.com/messages/compose?recipient_id=id-maria" in page
    Person.objects.update(may_dm=False)
    page = _page(logged_in(company.grace), conversation)
    assert "messages/compose" not in page and "takes no private messages" in page
    Account.objects.update(options={"is_enterprise": True})
    assert "They did not mention us" not in _page(logged_in(company.grace), conversation)


def test_the_network_counts(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at), "Hi", at)
    browser, where = logged_in(company.grace), reverse("social:count", args=[conversation.pk])
    told = browser.post(where, {"text": "See https://status.example.org/a/very/long/address"}).json()
    assert (told["length"], told["limit"], told["price"], told["exposes"]) == (27, 280, "0.20", [])
    told = browser.get(where, {"text": "x" * 300}).json()
    assert not told["fits"]
    assert browser.post(where, {"text": "Write to carol@gmail.com"}).json()["exposes"] == ["an e-mail address"]
    assert browser.post(where, {"text": ""}).json()["price"] == ""


def test_the_guard_holds_it_back_and_an_admin_may_insist(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at), "Hi", at)
    text = "Please write to joe@private.example"
    status, page = _answer(logged_in(company.grace), conversation, text)
    assert status == 422 and "an e-mail address" in page and text in page and 'name="insists"' not in page
    assert _answer(logged_in(company.grace), conversation, text, insists="because")[0] == 422, "agents may not"

    status, page = _answer(logged_in(company.ada), conversation, text)
    assert status == 422 and 'name="insists"' in page
    assert _answer(logged_in(company.ada), conversation, text, insists="It is their press office")[0] == 302
    message = Message.objects.get(conversation=conversation, kind="outbound")
    event = Event.objects.get(kind=answering.OVERRIDDEN)
    assert event.data == {"kinds": ["email"], "reason": "It is their press office", "message": message.pk}
    thread = Thread.objects.select_related("account").get(pk=conversation.pk)
    assert answering.why_not(message, thread) == ""
    assert _answer(logged_in(company.ada), conversation, "x" * 281)[0] == 422


def test_names_of_their_machines_and_ours_stay_private(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("mastodon", at), "Hi", at)
    organization = Organization.objects.exclude(services=None).first() or Organization.objects.get(pk=1)
    server = Service.objects.create(name="secret-box-17.example", kind=Service.Kind.SERVER)
    server.organizations.add(organization)
    Conversation.objects.filter(pk=conversation.pk).update(organization=organization)
    assert _answer(logged_in(company.grace), conversation, "We restarted secret-box-17.example")[0] == 422
    assert _answer(logged_in(company.grace), conversation, "We restarted it")[0] == 302


def test_files_wait_with_the_words(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at, needs_approval=True), "Hi", at)
    grace, linus = logged_in(company.grace), logged_in(company.linus)
    answering.answer(conversation.pk, company.grace, "So", client_id=uuid4(), at=at, files=[picture()])
    waiting = ApprovalFile.objects.get()
    where = reverse("social:approval_file", args=[waiting.pk])
    assert where in _page(linus, conversation) and where in linus.get(reverse("social:approvals")).content.decode()
    shown = linus.get(where, {"show": "1"})
    assert (shown["Content-Type"], shown.content) == ("image/png", picture().content)
    team = Team.objects.create(name="Legal", is_private=True)
    Conversation.objects.filter(pk=conversation.pk).update(team=team)
    assert grace.get(where).status_code == 404
    answering.decide(waiting.approval_id, company.linus, approves=True, at=at)
    sent = Message.objects.get(conversation=conversation, kind="outbound").attachments.get()
    assert (sent.name, content_of(sent)) == ("picture.png", picture().content)


def test_no_number_of_a_ticket_stands_in_public(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at), "Hi", at)
    ticket = on_behalf.open_ticket(conversation.pk, company.grace, at=at)
    Conversation.objects.filter(pk=conversation.pk).update(organization=None)
    conversation.refresh_from_db()
    for text in (f"Your ticket is #{ticket.pk}", f"See # {conversation.pk}.", "Your ticket number: 12345"):
        assert answering.exposed(conversation, text) == ["number"], text
    assert answering.exposed(conversation, f"We are #1{ticket.pk} in hosting, since {ticket.pk} years") == []


def test_what_no_call_answers_is_posted_by_hand(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("feed", at), "Demo Hosting is slow", at)
    page = _page(logged_in(company.grace), conversation)
    assert "post it there by hand" in page and "It leaves after" not in page


def test_a_second_person_reads_it(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at, needs_approval=True), "Hi", at)
    grace, linus = logged_in(company.grace), logged_in(company.linus)
    assert _answer(grace, conversation, "We look into it", insists="")[0] == 302
    approval = Approval.objects.get()
    assert not Message.objects.filter(conversation=conversation, kind="outbound").exists()
    assert "Waits for a second person" in _page(grace, conversation)
    where = reverse("social:decide", args=[approval.pk])
    grace.post(where, {"do": "approve"})
    assert Approval.objects.get().state == "waiting", "nobody approves their own"
    assert "We look into it" in linus.get(reverse("social:approvals")).content.decode()
    linus.post(where, {"do": "approve", "text": "Mail me at a@b.example"})
    assert Approval.objects.get().state == "waiting", "the guard looks at what was changed, too"
    linus.post(where, {"do": "approve", "text": "We look into it now."})
    message = Message.objects.get(conversation=conversation, kind="outbound")
    assert (message.text, message.agent, message.delivery) == ("We look into it now.", company.grace, "pending")
    linus.post(where, {"do": "decline"})
    assert Approval.objects.get().state == "approved", "decided once"

    assert _answer(grace, conversation, "Again")[0] == 302
    second = Approval.objects.get(state="waiting")
    linus.post(reverse("social:decide", args=[second.pk]), {"do": "withdraw"})
    second.refresh_from_db()
    assert second.state == "waiting", "not theirs"
    grace.post(reverse("social:decide", args=[second.pk]), {"do": "withdraw"})
    second.refresh_from_db()
    said = Message.objects.filter(kind="outbound", conversation=conversation)
    assert (second.state, said.count()) == ("withdrawn", 1)


def test_what_waits_is_stale_as_well_when_they_wrote_meanwhile(company: Company, at: datetime) -> None:
    x = account_on("x", at, needs_approval=True)
    conversation = said_to(x, "Hi", at)
    seen = conversation.messages.get().pk
    said_to(x, "Forget it", at + timedelta(minutes=1))
    status, page = _answer(logged_in(company.grace), conversation, "We look into it", seen=seen)
    assert status == 409 and "Forget it" in page and not Approval.objects.exists()


def test_a_public_answer_waits_its_delay_and_can_be_taken_back(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at, send_delay=60), "Hi", at)
    browser = logged_in(company.grace)
    assert _answer(browser, conversation, "Too quick")[0] == 302
    message = Message.objects.get(conversation=conversation, kind="outbound")
    page = browser.get(f"{reverse('tickets:conversation', args=[conversation.pk])}?sent={message.pk}")
    assert 'data-fades="60"' in page.content.decode()
    outbox.drain(now() + timedelta(seconds=50))
    message.refresh_from_db()
    assert message.delivery == "pending"
    browser.post(reverse("tickets:take_back", args=[message.pk]))
    assert not Message.objects.filter(pk=message.pk).exists()


def test_posts_show_what_became_of_them(company: Company, at: datetime) -> None:
    x = account_on("x", at)
    conversation = said_to(x, "My mail is maria@home.example, you useless people", at)
    post = Post.objects.get()
    assert (post.exposes, post.is_abusive) == (["email"], False), "criticism is no abuse"
    page = _page(logged_in(company.grace), conversation)
    assert "They show in public: an e-mail address" in page and "Hide it …" in page

    following.edit(x, Edited(post.external_id, at + timedelta(minutes=1), "All good", "2"), at=at)
    page = _page(logged_in(company.grace), conversation)
    assert "What it said before" in page and "useless people" in page and "They show in public" not in page
    Post.objects.update(hidden_at=at, deleted_at=at)
    page = _page(logged_in(company.grace), conversation)
    assert "Deleted there" in page and "Hidden" in page


def test_abuse_is_covered_until_asked_for(company: Company, at: datetime) -> None:
    x = account_on("x", at)
    conversation = said_to(x, "FUCK  YOU, demo", at)
    assert Post.objects.get().is_abusive
    conversation.refresh_from_db()
    assert "FUCK" not in conversation.preview + conversation.subject, "lists do not show it either"
    browser = logged_in(company.grace)
    assert "Covered: perhaps abusive. Show it" in _page(browser, conversation)
    found = browser.get("/desk/search/", {"q": "fuck"}).content.decode()
    # The two words: a random token on the page may well hold one.
    assert "A covered post: perhaps abusive" in found and "FUCK  YOU" not in found, "nor does the search"
    told = browser.get("/api/v1/search/", {"q": "fuck"}).json()["results"][0]
    assert told["excerpt"] == told["excerpt_html"] == "A covered post: perhaps abusive"
    cover = {"post": Post.objects.get().pk, "cover": "0"}
    browser.post(reverse("social:moderate", args=[conversation.pk]), cover)
    assert not Post.objects.get().is_abusive and "Covered:" not in _page(browser, conversation)
    conversation.refresh_from_db()
    assert (conversation.preview, conversation.subject) == ("FUCK YOU, demo", "FUCK YOU, demo")
    browser.post(reverse("social:moderate", args=[conversation.pk]), {**cover, "cover": "1"})
    conversation.refresh_from_db()
    assert "FUCK" not in conversation.preview + conversation.subject


def test_topics_are_told_the_strictest_first(company: Company, at: datetime) -> None:
    Topic.objects.create(name="Outages", rule="public", words=["down"], guidance="Link the status page.")
    Topic.objects.create(name="Refunds", rule="private", words=["refund"], answer="Let us talk about it in private.")
    Topic.objects.create(name="Lawyers", rule="never", words=["lawyer"], guidance="Tell management.")
    conversation = said_to(account_on("x", at), "Site down, REFUND or my lawyer!", at)
    page = _page(logged_in(company.grace), conversation)
    assert page.index("Lawyers: never done") < page.index("Refunds: move it") < page.index("Outages: may be answered")
    assert 'data-insert="Let us talk about it in private."' in page
    assert topics.found("downtown") == [], "whole words"


def test_a_ticket_on_their_behalf_is_claimed_once(company: Company, at: datetime) -> None:
    x = account_on("x", at)
    public = said_to(x, "My shop is broken", at)
    private = said_to(x, "Here I am", at + timedelta(minutes=1), is_public=False)
    browser = logged_in(company.grace)
    for _time in range(2):
        browser.post(reverse("social:ticket", args=[public.pk]))
    claim = TicketClaim.objects.get()
    assert "We have opened a ticket for you." in _page(browser, public)
    assert "Link to ticket" not in _page(browser, public) and "Link to ticket" in _page(browser, private)
    refused = browser.post(reverse("social:claim_link", args=[public.pk]), {"ticket": claim.pk})
    assert refused.status_code == 302, "never in public"
    shown = browser.post(reverse("social:claim_link", args=[private.pk]), {"ticket": claim.pk}).content.decode()
    token = shown.partition("/social/claims/")[2].partition("/")[0]
    where = reverse("social:claim", args=[token])

    stranger = Client().get(where)
    assert stranger.status_code == 302 and "next=%2Fsocial%2Fclaims%2F" in stranger["Location"]
    carol, ivy = _signed_in(company.carol), _signed_in(company.ivy)
    assert "It is mine" in carol.get(where).content.decode()
    assert TicketClaim.objects.get().claimed_at is None, "looking takes nothing"
    taken = carol.post(where)
    assert taken["Location"] == reverse("portal:conversation", args=[claim.pk])
    assert carol.get(taken["Location"]).status_code == 200
    ticket = Conversation.objects.get(pk=claim.pk)
    assert (ticket.customer, ticket.organization_id) == (company.carol, company.carol.organization_id)
    assert company.carol.organization is not None
    assert ticket.policy_id == company.carol.organization.plan.policy_id, "their plan's promises hold now"
    assert ivy.get(where).status_code == 404 and ivy.post(where).status_code == 404, "another customer is too late"
    assert ivy.get(taken["Location"]).status_code == 404
    ticket.refresh_from_db()
    assert ticket.customer == company.carol


def test_a_link_ends_and_a_newer_one_replaces_it(company: Company, at: datetime) -> None:
    conversation = said_to(account_on("x", at), "Help", at)
    ticket = on_behalf.open_ticket(conversation.pk, company.grace, at=at)
    first, second = (on_behalf.link(ticket.pk, at=at).split("/")[-2] for _time in range(2))
    with pytest.raises(on_behalf.CannotClaim):
        on_behalf.claim(first, company.carol, at=at)
    with pytest.raises(on_behalf.CannotClaim):
        on_behalf.claim(second, company.carol, at=at + on_behalf.LINK_FOR)
    assert on_behalf.claim(second, company.carol, at=at + timedelta(days=13)).pk == ticket.pk
    with pytest.raises(on_behalf.CannotClaim):
        on_behalf.link(ticket.pk, at=at)


def test_a_comment_is_answered_in_private_once(company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []

    def private_reply(_self: object, _connection: object, comment: str, text: str) -> Sent:
        sent.append((comment, text))
        return Sent("m1")

    monkeypatch.setattr(Facebook, "private_reply", private_reply)
    conversation = said_to(account_on("facebook", at), "I want a refund", now() - timedelta(days=1), kind="comment")
    browser, where = logged_in(company.grace), reverse("social:private", args=[conversation.pk])
    assert "Answer in private …" in _page(browser, conversation)
    assert browser.post(where, {"text": " "}).status_code == 422
    assert browser.post(where, {"text": "Tell us your domain"}).status_code == 302
    outbox.drain(now())
    assert sent == [(Post.objects.get().external_id, "Tell us your domain")]
    assert Message.objects.filter(conversation=conversation, kind="note", text__contains="Tell us your domain").exists()
    conversation.refresh_from_db()
    assert (conversation.assignee, conversation.status) == (company.grace, "pending"), "it was an answer"
    answered = conversation.clocks.filter(target="first_response")
    assert answered.count() == 1 and answered.exclude(met_at=None).exists()
    assert browser.post(where, {"text": "And more"}).status_code == 422, "the network takes one"
    assert "Answer in private …" not in _page(browser, conversation)
    thread = Thread.objects.select_related("account").get(pk=conversation.pk)
    late = moving.comment_to_answer(thread, list(Post.objects.all()), at=now() + timedelta(days=7))
    assert late is None


def test_a_post_is_logged_answered_and_marked_by_hand(company: Company, at: datetime) -> None:
    account = account_on("x", at, state=Account.State.NOT_CONNECTED)
    browser, where = logged_in(company.grace), reverse("social:log")
    assert "Log a post" in browser.get(where).content.decode()
    pasted = {"account": account.pk, "url": "https://x.com/otto/status/5", "handle": "@otto", "text": "Slow!"}
    pasted |= {"is_public": "on", "at": "2026-01-12T09:00"}
    assert browser.post(where, {**pasted, "url": "javascript:alert(1)"}).status_code == 422
    assert browser.post(where, {**pasted, "handle": " @ "}).status_code == 422
    for _time in range(2):
        filed = browser.post(where, pasted)
    conversation = Conversation.objects.get(channel="x")
    assert filed["Location"] == reverse("tickets:conversation", args=[conversation.pk])
    assert "Logged by hand" in _page(browser, conversation)
    assert _answer(browser, conversation, "We are faster now")[0] == 302
    message = Message.objects.get(conversation=conversation, kind="outbound")
    first_response = Clock.objects.get(conversation=conversation, target="first_response")
    assert first_response.met_at is None, "it stands nowhere yet"
    outbox.drain(now() + timedelta(minutes=1))
    message.refresh_from_db()
    assert message.delivery == "failed" and "Post it by hand …" in _page(browser, conversation)
    by_hand = reverse("social:by_hand", args=[message.pk])
    page = browser.get(by_hand).content.decode()
    assert "We are faster now" in page and "https://x.com/intent/post?in_reply_to" in page
    assert browser.post(by_hand, {"url": "nonsense"}).status_code == 422
    assert browser.post(by_hand, {"url": "https://x.com/demo/status/6"}).status_code == 302
    for row in (message, first_response, conversation):
        row.refresh_from_db()
    assert (first_response.met_at is not None, conversation.status) == (True, "pending")
    assert message.delivery == "sent" and Post.objects.filter(message=message, person=None).exists()
    assert "Post it by hand …" not in _page(browser, conversation)

    Person.objects.filter(handle="@otto").update(muted_at=at)
    refused = browser.post(where, {**pasted, "url": "https://x.com/otto/status/7"})
    assert refused.status_code == 422 and "muted" in refused.content.decode()


def test_a_conversation_by_mail_asks_no_network(company: Company, at: datetime) -> None:
    page = _page(logged_in(company.grace), write(company.carol, at))
    assert "network-bar" not in page and "social.css" not in page and "data-on-network" not in page


def test_abuse_is_whole_words_in_any_writing() -> None:
    words = {"en": ("asshole", "fuck you"), "fr": ("enculé",)}
    for text in ("You ASSHOLE!", "fuck\n you", "Enculé.", "encule"):
        assert abuse.is_abusive(text, words), text
    for text in ("Your service is useless, a scam even", "classholes", "", "x" * 100_000):
        assert not abuse.is_abusive(text, words), text[:40]
