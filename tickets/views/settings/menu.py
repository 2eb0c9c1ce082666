"""The table of contents of the settings: what there is, what it is called, and whose it is."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from helpdesk.customers.models import User
from helpdesk.customers.permissions import may_configure
from helpdesk.desk.forms import Words


@dataclass(frozen=True, slots=True)
class Entry:
    """One area. `is_own` ones everybody on the desk has for themselves; the others are the admin's. One `under` another
    is reached from there.
    """

    key: str
    title: Words
    icon: str
    about: Words
    is_own: bool = False
    under: str = ""
    # The address's name where it is not that of the key.
    at: str = ""

    @property
    def address(self) -> str:
        return reverse(self.at or f"tickets:settings_{self.key}")


@dataclass(frozen=True, slots=True)
class Group:
    title: Words
    entries: tuple[Entry, ...]


MENU: Final = (
    Group(
        _("Yours"),
        (
            Entry("profile", _("Profile"), "user", _("Your name, language and time zone."), True),
            Entry(
                "alerts",
                _("Notifications"),
                "bell",
                _("What you are told on the page, by sound, push or mail; quiet hours."),
                True,
                at="tickets:notifications",
            ),
            Entry(
                "chat_profile",
                _("My chats"),
                "message-square",
                _("How customers see you, how many chats you take at once, and your skills."),
                True,
                at="chat:profile",
            ),
            Entry(
                "security",
                _("Login and security"),
                "shield-check",
                _("Password, second factors, passkeys, sessions."),
                True,
                at="mfa_index",
            ),
            Entry(
                "reach",
                _("My phone and Telegram"),
                "smartphone",
                _("Where pages reach you besides e-mail, and which phone rings when you call back."),
                True,
                at="phone:reach",
            ),
            Entry("notifications", _("When I am paged"), "bell-ring", _("How a page reaches you, and when."), True),
            Entry("canned", _("Canned replies"), "quote", _("Texts you begin a reply with, called by /."), True),
            Entry("tokens", _("API tokens"), "key-round", _("Keys for scripts that act in your name."), True),
        ),
    ),
    Group(
        _("Company"),
        (
            Entry("company", _("Company"), "building-2", _("Its name, its logo's text, the languages spoken.")),
            Entry("mailboxes", _("Mailboxes"), "mail", _("Your addresses, and where their mail is fetched from.")),
            Entry("teams", _("Teams"), "users", _("Who works together, and who is called for whom.")),
            Entry("agents", _("Agents"), "user-plus", _("Who may work here, and what they may do.")),
        ),
    ),
    Group(
        _("Customers"),
        (
            Entry("organizations", _("Organizations"), "briefcase", _("Customer companies, each with its plan.")),
            Entry("customers", _("Customers"), "users-round", _("The people who write to you.")),
            Entry("plans", _("Plans"), "layers", _("What a company buys: promises, hours, channels.")),
            Entry("plan_changes", _("Changes of plan"), "calendar-clock", _("Plans that change on a day.")),
            Entry("erasures", _("Forgetting"), "user-x", _("Customers who asked to be forgotten.")),
            Entry("services", _("Services"), "server", _("Clusters, the servers in them, websites on those.")),
        ),
    ),
    Group(
        _("Live chat"),
        (
            Entry("widgets", _("Chat widgets"), "message-circle", _("Where customers chat from, and how it looks.")),
            Entry("hours", _("Booked chats"), "calendar-clock", _("When chats can be booked, and how many at once.")),
        ),
    ),
    Group(
        _("Social"),
        (
            Entry("social", _("Social accounts"), "megaphone", _("Your accounts on the networks: state, hours, cost.")),
            Entry("public_topics", _("Public topics"), "list", _("What may be answered in public, and what never.")),
        ),
    ),
    Group(
        _("Status page"),
        (
            Entry("status_page", _("Status page"), "activity", _("Its words, its time zone, its copy as files.")),
            Entry("components", _("Components"), "server", _("What the status page shows the state of.")),
            Entry("incident_templates", _("Templates"), "quote", _("Words for what happens again.")),
            Entry("maintenance_series", _("Recurring maintenance"), "refresh-cw", _("Windows that come again.")),
            Entry("signals", _("Monitoring"), "gauge", _("Systems that may tell of trouble.")),
            Entry("subscribers", _("Subscribers"), "bell", _("Who is told of what happens on the status page.")),
        ),
    ),
    Group(
        _("Knowledge base"),
        (Entry("kb", _("Categories"), "book-open", _("What the help centre's articles lie in.")),),
    ),
    Group(
        _("Promises"),
        (
            Entry("policies", _("SLA policies"), "timer", _("How fast you answer, by priority.")),
            Entry("calendars", _("Calendars"), "calendar", _("Opening hours and holidays clocks are counted on.")),
            Entry("schedules", _("On-call schedules"), "calendar-clock", _("Who has the pager when.")),
            Entry("escalations", _("Escalation"), "megaphone", _("Whom a page calls, step by step.")),
            Entry("phone", _("Emergency phone"), "phone", _("Numbers that customers call when everything is down.")),
            Entry("twilio", "Twilio", "key-round", _("The account that calls and text messages go through.")),
            Entry("slack", "Slack", "message-square", _("Chats and pages in your channel."), at="chat:slack_settings"),
        ),
    ),
    Group(
        _("Work"),
        (
            Entry("macros", _("Macros"), "zap", _("Several changes in one step.")),
            Entry("views", _("Saved views"), "bookmark", _("Parts of the inbox under a name.")),
            Entry("tags", _("Tags"), "tag", _("Words conversations are marked with.")),
            Entry("topics", _("Topics"), "list", _("What customers choose in the ticket form.")),
            Entry("fields", _("Custom fields"), "table", _("Facts you want on every conversation.")),
            Entry("rules", _("Automation"), "workflow", _("When something happens, do something.")),
            Entry("quotes", _("Quotes"), "receipt-text", _("Who offers, currency, tax, terms, the plan beside.")),
            Entry("ratings", _("Ratings"), "star", _("Whether and when customers are asked how it was.")),
        ),
    ),
    Group(
        _("System"),
        (
            Entry("webhooks", _("Webhooks"), "webhook", _("Tell other systems what happens here.")),
            Entry("wallboards", _("Wallboards"), "monitor", _("Links that show how things stand on a television.")),
            Entry("blocked", _("Blocked senders"), "ban", _("Whoever is filed unread and never answered.")),
            Entry("suspended", _("Suspended addresses"), "mail-open", _("Addresses whose mail bounced for good.")),
            Entry("audit", _("Audit log"), "scroll-text", _("Who changed what, and when.")),
            Entry("status", _("System status"), "activity", _("Whether every promise stands armed.")),
        ),
    ),
)
_WITHIN: Final = (
    Entry("accounts", _("Fetched accounts"), "server", _("Where mail is fetched from."), under="mailboxes"),
)
_BY_KEY: Final = {one.key: one for one in (*(one for group in MENU for one in group.entries), *_WITHIN)}


def entry(key: str) -> Entry:
    return _BY_KEY[key]


def shown_to(user: User) -> list[Group]:
    """The groups this agent may open anything of."""
    if may_configure(user):
        return list(MENU)
    own = [Group(group.title, tuple(one for one in group.entries if one.is_own)) for group in MENU]
    return [group for group in own if group.entries]
