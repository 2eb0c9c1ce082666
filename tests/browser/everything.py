"""Every address a person can open, with something on each: so that no page is left out of a walk through all."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.channel import File
from helpdesk.conversations.models import Conversation, Message, Status
from helpdesk.customers import sessions
from helpdesk.customers.models import CustomerSession, User
from helpdesk.events.actors import Actor
from helpdesk.oncall import notices, paging
from helpdesk.oncall.models import Page
from helpdesk.ratings import giving
from helpdesk.ratings import links as asking
from helpdesk.ratings.models import Rating
from helpdesk.sla.models import Clock
from knowledge import articles, remarking, starting
from knowledge.articles import Text
from knowledge.models import Article, Comment, Guide, SearchedWords
from portal import erasing
from portal.models import Erasure
from quotes import links
from quotes.days import office_day
from quotes.models import Quote
from social import announcing, answering, by_hand, moderating, on_behalf
from social.models import Account, ModerationAction, Post, TicketClaim
from status import incidents, linking, subscriber_links
from status.incidents import Opening, Words
from status.models import Distribution, Incident, Proposal, Subscriber
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, picture, write
from tests.fixtures.status import component
from tests.people.conftest import log_in, set_up_app
from tests.quotes.offers import drafted, sent
from tests.social.talk import account_on, said_to
from tests.tickets.settings.rows import SETTINGS, address, fill
from tests.tickets.settings.test_permissions import POSTS
from tickets.desk import bulk
from tickets.models import InboundEmail
from tickets.reports import keeping, wallboard
from tickets.views.front import THANKS

# What has no page of its own.
PARTS = {
    *(
        "service_names",
        "organization_names",
        "user_names",
        "rows",
        "navigation",
        "list",
        "palette",
        "news",
        "older",
        "canned",
        "tags",
        "preview",
    ),
    "ringing",
}
CHANGES = {
    *("rename_view", "move_view", "delete_view", "single_keys", "bulk_undo", "customer_notes", "answer", "draft"),
    *("mentions_seen", "use_canned", "work", "take", "undo", "snooze", "spam", "notes_on_customer", "followers"),
    *("checklist", "time_spent", "fields", "link", "retry", "take_back", "subscribe", "forget_browser"),
    *("resolve_page", "stand_in", "replay_mail", "end_session", "end_other_sessions"),
    *("link", "unlink", "desk_join", "desk_dismiss", "desk_publish", "desk_discard"),
    *("apply_macro", "agent_state", "take_over", "decline", "hold", "anything_else", "end_chat", "convert", "hand_on"),
    "own_picture",
    # Social networks.
    *("count", "ticket", "claim_link", "decide", "reverse", "done"),
    # The portal's.
    *("close", "reopen", "profile", "mails", "add_address", "confirm_address", "add_account", "remove_identity"),
    *("end_sessions", "password", "ask_export", "ask_erasure", "take_erasure_back", "sign_out", "ask", "oidc"),
    "oidc_callback",
    *("look_at_rating", "show_rating", "withdraw_quote", "revise_quote", "discard_quote"),
    *("announcement_approve", "announcement_withdraw", "announcement_retry", "announcement_posted"),
    *("call_back", "ask_phone", "confirm_phone", "ask_telegram", "try_twilio", "try_slack"),
    *("vote", "comment", "remark", "suggest", "suggested", "kb_preview", "kb_files", "kb_remove_file", "kb_remove"),
    *("kb_remark", "kb_settle", "kb_new_guide", "kb_save_guide", "kb_remove_guide", "kb_save_step", "kb_remove_step"),
    *("kb_insert", "kb_remark_beside", "kb_move_guide", "kb_restore"),
    *("single_sign_on", "single_sign_on_callback", *POSTS),
}
FILES = {
    *("message_html", "message_full", "source", "attachment", "worker", "report_csv", "raw_mail", "schedule_feed"),
    "mfa_download_recovery_codes",
    *("badge", "api"),
    *("file", "export", "embed_loader", "approval_file"),
    *("quote_pdf", "quote_link_pdf", "own_quote_pdf"),
    *("at_atom", "at_rss", "at_sitemap", "at_sitemap_part", "at_robots"),
}
MACHINES = {
    *(
        "mail_hook",
        "pagerduty_hook",
        "slack_interactivity",
        "slack_events",
        "slack_commands",
        "live",
        "ready",
        "paging_health",
    ),
    *("hook_x", "hook_facebook", "hook_whatsapp", "hook_telegram", "hook_discourse"),
    *("twilio_voice", "twilio_recording", "twilio_status", "twilio_sms"),
    *("signal_hook", "mail_health", "metrics", "mfa_login_webauthn"),
}
# A page under a second name, or one that only leads on to another.
ALIASES = {"mine", "account_login", "account_logout", "mfa_list_webauthn", "welcome", "mfa_reauthenticate_webauthn"}
ALIASES |= {"at_home", "at_top", "at_permanent"}
SENT = "20260112-080000-hello.eml"
NOT_OURS = ("api/", "chat/", "favicon", "manifest")
NO_PAGES = PARTS | CHANGES | FILES | MACHINES | ALIASES


@dataclass(frozen=True, slots=True)
class Walk:
    """Who walks, and where: the path by the name of its address."""

    browser: Client
    pages: dict[str, str]


def names() -> set[str]:
    """Of every address for people with a browser; not of what `chat/` hands to customers' websites."""

    def below(patterns: list[URLPattern | URLResolver], before: str) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                found |= below(pattern.url_patterns, route)
            elif pattern.name and not route.startswith(NOT_OURS):
                found.add(pattern.name)
        return found

    return below(get_resolver().url_patterns, "")


def everything(company: Company, at: datetime) -> list[Walk]:
    """Fill the desk and give the ways through it: an admin's, a stranger's, those of one with a second factor."""
    rows = fill(company.ada, at)
    first = _work(company, at)
    new = User.objects.create_user("noor@demo.example", name="Noor")
    without_password = Walk(logged_in(new), {"account_set_password": reverse("account_set_password")})
    walks = [_admin(company, first, rows, at), _stranger(company, first, at), _reader(at), _customer(company, at)]
    return [*walks, *_guarded(company), without_password]


def _work(company: Company, at: datetime) -> Conversation:
    """A morning: late and done, failed, notes, files, HTML, other scripts, a page, and a mail nobody can read."""
    then = at - timedelta(hours=3)
    files = (picture(), File("plan of the move.txt", "text/plain", b"x"))
    html = "<p>Hello <b>there</b></p>"
    first = write(company.carol, then, subject="Checkout ends with error 500", html=html, files=files)
    for number, who in enumerate((company.gil, company.ivy, company.uma)):
        write(who, then + timedelta(minutes=number), subject=f"Request {number}", text="مرحبا، الخادم لا يعمل")
    conversations.note(first.pk, company.grace, "Looks like `c01`:\n\n- the **pool**\n- a log", at=then)
    conversations.reply(first.pk, company.ada, "Hello **Carol**,\n\nwe are on it.", at=then + timedelta(minutes=9))
    Message.objects.filter(kind="outbound").update(delivery="failed", error="550 no such user")
    done = write(company.carol, then, subject="Done", text="🙂")
    conversations.change(done.pk, conversations.Changes(status=Status.RESOLVED), actor=Actor.agent(company.ada), at=at)
    reason = paging.Reason("dispatch", "Nobody took it", at)
    paging.trigger("walk", reason, urgency="high", summary="Nobody took it", at=at, conversation_id=first.pk)
    InboundEmail.objects.create(
        source="smtp", transport_key="x", received_at=at, raw=b"From: a@b.example\n\nx", sha256="0" * 64, size=1,
        state="quarantined", settled_at=at, error="Nothing could be read",
    )  # fmt: skip
    keeping.rebuild()
    folder = Path(settings.SENT_MAIL_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SENT).write_bytes(b"From: support@demo.example\nTo: carol@acme.example\nSubject: Hello\n\nHello Carol.\n")
    return first


def _admin(company: Company, first: Conversation, rows: dict[str, int], at: datetime) -> Walk:
    browser = Client()
    log_in(browser, "ada@demo.example")
    report = bulk.run(company.ada, [first.pk], bulk.Asked(add_tags=("ada",)), client_id=uuid4(), at=at)
    message = Message.objects.filter(conversation=first).earliest("pk")
    keys = {
        "bulk_report": report.pk, "customer": company.carol.pk, "conversation": first.pk, "merge": first.pk,
        "split": first.pk, "print": first.pk, "forward": message.pk,
        "clock": Clock.objects.filter(conversation=first).earliest("pk").pk,
    }  # fmt: skip
    plain = (
        "queue",
        "begin",
        "filter",
        "saved_views",
        "search",
        "notifications",
        "pages",
        "on_call",
        "reports",
        "wallboard",
    )
    found = {name: reverse(f"tickets:{name}") for name in (*plain, "ledger", "sent_mail")}
    found |= {name: reverse(f"tickets:{name}", args=[key]) for name, key in keys.items()}
    found |= {"sent_file": reverse("tickets:sent_file", args=[SENT]), "chats": "/desk/chats/"}
    found["live_chat"] = reverse("chat:live_chat", args=[company.carol.pk])
    found["entitlements"] = reverse("portal:entitlements", args=[company.carol.pk])
    found["profile"] = "/desk/chats/profile/"
    found["reach"] = "/desk/settings/reach/"
    found["slack_settings"] = "/desk/settings/slack/"
    found |= {"bulk": f"{reverse('tickets:bulk')}?c={first.pk}", "search": f"{found['search']}?q=error"}
    found |= {str(one.name): address(one, rows) for one in SETTINGS if one.name not in POSTS}
    found |= _trouble(company, first, at)
    found |= _offers(company, at)
    found |= _announced(company, rows, at)
    found |= _knowledge(company, at)
    found |= _networks(company, at)
    people = ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "usersessions_list", "account_change_password")
    found |= {name: reverse(name) for name in (*people, "account_reauthenticate", "logout")}
    return Walk(browser, found)


def _announced(company: Company, rows: dict[str, int], at: datetime) -> dict[str, str]:
    """Something was announced where nothing is connected; a post waits there."""
    account = Account.objects.get(pk=rows["social"])
    by_hand.log(account, by_hand.Pasted("https://m.example/1", "maria", "Is it down?", at), company.ada, at=at)
    made = announcing.write("We have a new data centre.", [account], company.ada, at=at)
    draft = announcing.write("Another one.", [account], company.ada, at=at)
    announcing.submit(made.pk, publish_at=at)
    announcing.announce_due(at=at)
    return {
        "coverage": reverse("social:coverage"),
        "announcements": reverse("social:announcements"),
        "announcement_new": reverse("social:announcement_new"),
        "announcement": reverse("social:announcement", args=[made.pk]),
        "announcement_edit": reverse("social:announcement_edit", args=[draft.pk]),
    }


def _offers(company: Company, at: datetime) -> dict[str, str]:
    """A quote that was sent and one that is written; two ratings, of which one is low."""
    conversation = write(company.carol, at, subject="Please move the shop")
    drafted(conversation, company.grace, at, valid_until=office_day(at))
    quote = sent(conversation, company.grace, at, valid_until=office_day(at))
    for score, comment in ((1, "Too slow"), (5, "Quick and kind")):
        giving.give(write(company.carol, at).pk, score, comment, via="chat", at=at, is_still_open=True)
    return {
        "quote_list": reverse("quotes:quote_list"),
        "new_quote": reverse("quotes:new_quote", args=[conversation.pk]),
        "one_quote": reverse("quotes:one_quote", args=[quote.pk]),
        "rating_list": f"{reverse('ratings:rating_list')}?show=all",
    }


def _knowledge(company: Company, at: datetime) -> dict[str, str]:
    """A small library: the desk's pages of it."""
    starting.load(company.ada, at=at)
    article = Article.objects.filter(visibility="public").earliest("pk")
    articles.write(article, Text("Pointing a domain to us", "New.\n\n> [!TIP]\n> x"), author=company.ada, at=at)
    remarking.remark(article, "The port is wrong.", at=at)
    said = {"article": article, "language": "en", "name": "Uma", "email": "uma@x.example", "at": at}
    Comment.objects.create(**said, text="Does it work with IPv6?")
    Comment.objects.create(**said, text="It does.", state="shown", moderated_at=at, moderated_by=company.ada)
    SearchedWords.objects.create(day=at.date(), language="en", words="quagga", times=3, found=0)
    guide = Guide.objects.get().pk
    plain = ("kb", "kb_new", "kb_comments", "kb_report", "kb_guides")
    found = {name: reverse(f"knowledge:{name}") for name in plain}
    found |= {name: reverse(f"knowledge:{name}", args=[article.pk]) for name in ("kb_article", "kb_versions")}
    about = Conversation.objects.filter(merged_into=None).earliest("pk").pk
    found["kb_beside"] = reverse("knowledge:kb_beside", args=[about])
    found["kb_reading"] = f"{reverse('knowledge:kb_reading', args=[article.pk])}?conversation={about}"
    return found | {"kb_guide": reverse("knowledge:kb_guide", args=[guide])}


def _networks(company: Company, at: datetime) -> dict[str, str]:
    """A bad morning in public: what waits, what was hidden, what is posted by hand; a ticket that may be claimed."""
    account = account_on("x", at, name="Demo on X", needs_approval=True)
    public = said_to(account, "FUCK YOU, my mail is a@b.example and my shop is down", at, names_us=False, may_dm=True)
    private = said_to(account, "Here I am", at, is_public=False, window_ends_at=at + timedelta(hours=1))
    answering.answer(public.pk, company.grace, "We are on it.", client_id=uuid4(), at=at)
    waiting = conversations.reply(public.pk, company.grace, "On our way.", at=at)
    Message.objects.filter(pk=waiting.pk).update(delivery="failed", error="logged by hand")
    moderating.act(ModerationAction.Kind.HIDE, company.ada, "private_data", at=at, post=Post.objects.earliest("pk"))
    on_behalf.open_ticket(public.pk, company.grace, at=at)
    plain = {name: reverse(f"social:{name}") for name in ("approvals", "moderation", "log")}
    keys = {"private": public.pk, "moderate": public.pk, "by_hand": waiting.pk}
    threads = {f"on_network_{one.pk}": reverse("tickets:conversation", args=[one.pk]) for one in (public, private)}
    return {**plain, **{name: reverse(f"social:{name}", args=[pk]) for name, pk in keys.items()}, **threads}


def _customer(company: Company, at: datetime) -> Walk:
    """Carol, who is signed in: her quotes, and the question how it was."""
    browser = Client()
    request = RequestFactory().get("/")
    browser.cookies[sessions.COOKIE] = sessions.begin(company.carol, CustomerSession.How.LINK, request, at=at)
    quote = Quote.objects.exclude(state="draft").latest("pk")
    rating = Rating.objects.latest("rated_at")
    pages = {
        "mine": reverse("quotes:mine"),
        "show": reverse("quotes:show", args=[quote.pk]),
        "quote_by_link": reverse("quotes:quote_by_link", args=[links.token(quote)]),
        "rate": reverse("ratings:rate", args=[rating.pk]),
        "rate_by_link": f"{reverse('ratings:rate_by_link', args=[asking.token(rating.pk, at)])}?score=4",
    }
    pages["claim"] = f"/{on_behalf.link(TicketClaim.objects.get().pk, at=at).split('/', 3)[3]}"
    return Walk(browser, pages | _portal(company, at))


def _portal(company: Company, at: datetime) -> dict[str, str]:
    """Her tickets, what she has with us, and her account."""
    Erasure.objects.get_or_create(customer=company.carol, defaults={"asked_at": at, "due_at": at})
    own = Conversation.objects.filter(customer=company.carol, merged_into=None).earliest("pk")
    erasure = Erasure.objects.get(customer=company.carol)
    plain = ("home", "services", "plan", "chats", "account", "password_sign_in")
    found = {name: reverse(f"portal:{name}") for name in plain}
    keys = {"conversation": own.pk, "code": "x", "keep": erasing.token_of(erasure)}
    return found | {name: reverse(f"portal:{name}", args=[key]) for name, key in keys.items()}


def _stranger(company: Company, first: Conversation, at: datetime) -> Walk:
    token = signing.dumps(first.pk, salt=THANKS)
    _link, link = wallboard.make_link("Television", company.ada, at=at)
    page = Page.objects.latest("pk")
    reset = {"uidb36": user_pk_to_url_str(company.linus), "key": default_token_generator.make_token(company.linus)}
    found = {name: reverse(f"tickets:{name}") for name in ("new",)}
    found["embedded"] = f"{reverse('tickets:embedded')}?key=pk_demo"
    found |= {
        "thanks": f"{reverse('tickets:thanks')}?ticket={token}",
        "wallboard_link": reverse("tickets:wallboard_link", args=[link]),
        "acknowledge_page": f"/{notices.acknowledge_url(page, company.ada.pk).split('/', 3)[3]}",
        "account_reset_password_from_key": reverse("account_reset_password_from_key", kwargs=reset),
    }
    plain = ("login", "account_reset_password", "account_reset_password_done", "account_reset_password_from_key_done")
    found |= {name: reverse(name) for name in (*plain, "socialaccount_login_cancelled")}
    return Walk(Client(), found)


def _trouble(company: Company, first: Conversation, at: datetime) -> dict[str, str]:
    """A bad day: an outage with a linked conversation and a draft, something that is over, and a window ahead. The
    desk's pages of it.
    """
    web = component("web14.example", at - timedelta(days=40), description="Websites of **many** customers")
    made = {}
    for name, state, ended in (("Disks gone", "major_outage", False), ("Mail was late", "degraded_performance", True)):
        then = at - timedelta(hours=5)
        words = Words("investigating", "We look at it:\n\n- `md0`\n- https://example.org", {web.pk: state})
        made[name] = one = incidents.open_incident(Opening(name, words), company.ada, at=then)
        incidents.add_update(one, Words("identified", "<b>It</b> is a disk."), company.ada, at=then)
        if ended:
            incidents.add_update(one, Words("resolved", "It is new."), company.ada, at=at - timedelta(hours=4))
    words = Words("scheduled", "Every server restarts once.", {web.pk: "under_maintenance"})
    begin = at + timedelta(days=1)
    window = Opening("Kernel", words, "maintenance", scheduled_for=begin, scheduled_until=begin + timedelta(hours=1))
    ahead = incidents.open_incident(window, company.ada, at=at)
    linking.link(made["Disks gone"], [first.pk], how="hand", user=company.ada, at=at)
    Proposal.objects.create(component=web, why="7 tickets in 10 minutes", conversations=[first.pk], created_at=at)
    public_id, told = made["Disks gone"].public_id, made["Disks gone"].updates.latest("pk")
    Distribution.objects.create(update=told, upto=1, planned=2, sent=1, started_at=at, planned_at=at)
    base = f"/desk/status/incidents/{public_id}/"
    found = {"desk_incident": base, "conversations": f"{base}conversations/", "desk_change": f"{base}change/"}
    found["desk_correct"] = f"{base}{told.public_id}/"
    found["desk_cancel"] = f"/desk/status/incidents/{ahead.public_id}/cancellation/"
    found["distribution"] = f"/desk/status/updates/{told.public_id}/"
    linked = f"/desk/status/linking/?c={first.pk}"
    found["desk_import"] = "/desk/status/subscribers/"
    return found | {"desk": "/desk/status/", "desk_new": "/desk/status/new/", "link": linked}


def _reader(at: datetime) -> Walk:
    """Somebody who looks at the status page on a bad day, and into the help centre."""
    over = Incident.objects.get(name="Mail was late")
    found = {"page": "/status/", "incident": f"/status/incidents/{over.public_id}/"}
    found |= _subscription(at)
    guide = "/kb/en/guides/my-website-does-not-open/"
    found |= {"top": "/kb/en/", "at_article": "/kb/en/pointing-a-domain-to-us/?voted=0", "at_guide": guide}
    found["answered"] = reverse("knowledge:answered")
    found |= {"at_category": "/kb/en/c/websites/", "at_guides": "/kb/en/guides/"}
    found |= {"public": "/status/history/", "maintenance": "/status/maintenance/", "banner": "/status/banner/"}
    return Walk(Client(), found)


def _subscription(at: datetime) -> dict[str, str]:
    """The pages of one who is being told, and of one who is about to be."""
    subscriber = Subscriber.objects.get(address="reader@acme.example")
    waiting = Subscriber.objects.create(kind="email", address="new@acme.example", asked_at=at, created_at=at)
    confirming = subscriber_links.confirmation_token(waiting)
    found = {
        name: f"/status/{name}/{subscriber_links.own_token(subscriber.key)}/"
        for name in ("subscription", "unsubscribe")
    }
    found["confirm"] = f"/status/confirm/{confirming}/"
    return found | {"subscribe": "/status/subscribe/", "asked": "/status/subscribe/sent/"}


def _guarded(company: Company) -> list[Walk]:
    """Somebody with an app and a passkey; and somebody half way in, who has given the password alone."""
    inside, before, half = Client(), Client(), Client()
    for browser, user in ((inside, company.grace), (before, company.linus)):
        log_in(browser, user.email)
        set_up_app(browser)
    log_in(half, company.linus.email)
    key = Authenticator.objects.create(user=company.grace, type="webauthn", data={"name": "Laptop", "credential": {}})
    own = ("mfa_index", "mfa_deactivate_totp", "mfa_reauthenticate", "mfa_view_recovery_codes")
    found = {name: reverse(name) for name in (*own, "mfa_generate_recovery_codes")}
    found |= {name: reverse(name, args=[key.pk]) for name in ("mfa_remove_webauthn", "mfa_edit_webauthn")}
    return [Walk(inside, found), Walk(half, {"mfa_authenticate": reverse("mfa_authenticate")})]
