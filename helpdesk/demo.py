"""The demo company of the contract: something to look at on a first start, and the world the tests live in."""

from datetime import date, datetime, time, timedelta

from django.db import transaction

from chat.models import ChatAgent, Widget
from helpdesk.customers.models import Customer, Identity, Organization, Plan, Service, Team, User
from helpdesk.oncall import rotas
from helpdesk.oncall.models import EscalationPolicy, EscalationStep, Layer, LayerMember, NotificationRule, Schedule
from helpdesk.sla import calendars
from helpdesk.sla.models import Calendar, Goal, Policy, Target
from social.models import Account, Topic
from status import editing
from tickets.models import Mailbox

PASSWORD = "demo"
WIDGET_KEY = "pk_demo"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE, HOUR = 60, 3600
BUSINESS_DAY = 12 * HOUR
FIRST_RESPONSE = {"urgent": 30 * MINUTE, "high": 4 * HOUR, "normal": BUSINESS_DAY, "low": 3 * BUSINESS_DAY}
# With 24x7 support a business day is a day.
FIRST_RESPONSE_24X7 = {"urgent": 30 * MINUTE, "high": 4 * HOUR, "normal": 24 * HOUR, "low": 72 * HOUR}
DISPATCH = HOUR
# Name, rule, words, what agents read, a public answer that moves it on.
SOCIAL_TOPICS = (
    (
        "Contracts and invoices", Topic.Rule.PRIVATE, ["invoice", "contract", "cancel", "refund", "Rechnung"],
        "Account data never stands in public: open a ticket on their behalf.",
        "We would like to look at this with you. Please send us a private message, or open a ticket.",
    ),
    (
        "Passwords and access", Topic.Rule.NEVER, ["password", "login", "hacked", "Passwort"],
        "Access is never changed by social: the customer signs in to the portal and opens a ticket.",
        "For your safety we change no access here. Please open a ticket in the portal.",
    ),
    (
        "Outages", Topic.Rule.PUBLIC, ["down", "outage", "offline", "slow", "Störung"],
        "Say what the status page says, and link it. Promise nothing beyond it.", "",
    ),
)  # fmt: skip
# Whoever chats waits for the answer: five minutes of office hours.
LIVE_RESPONSE = 5 * MINUTE


@transaction.atomic
def load(*, at: datetime) -> None:
    """Make the company in an empty database."""
    office = calendars.create_calendar(
        "12x5", "Europe/Berlin", {day: [["08:00", "20:00"]] for day in WEEKDAYS}, at=at, is_office=True
    )
    calendars.import_holidays(office, "DE", "", range(at.year - 1, at.year + 3), at=at)
    always = calendars.create_calendar("24x7", "Europe/Berlin", {day: [["00:00", "24:00"]] for day in WEEK}, at=at)
    office.refresh_from_db()
    standard = _policy("12x5", office, FIRST_RESPONSE)
    enterprise = _policy("24x7 Enterprise SLA", always, FIRST_RESPONSE_24X7)
    plans = _plans(standard, enterprise)
    ada, grace, linus = _agents()
    escalation = _on_call(ada, grace, linus, at)
    teams = _teams(escalation, ada, grace, linus)
    _mailboxes(teams)
    _chat(teams["Support"], at, ada, grace, linus)
    _services(_organizations(plans, at))
    _components(at)


def _policy(name: str, calendar: Calendar, responses: dict[str, int]) -> Policy:
    policy = Policy.objects.create(name=name, calendar=calendar)
    Goal.objects.bulk_create(
        Goal(policy=policy, target=target, priority=priority, seconds=seconds)
        for priority, response in responses.items()
        for target, seconds in (
            (Target.DISPATCH, min(DISPATCH, response)),
            (Target.FIRST_RESPONSE, response),
            (Target.NEXT_RESPONSE, response),
        )
    )
    Goal.objects.bulk_create(
        Goal(policy=policy, target=Target.FIRST_RESPONSE, priority=priority, seconds=LIVE_RESPONSE, is_live=True)
        for priority in responses
    )
    return policy


def _plans(standard: Policy, enterprise: Policy) -> dict[str, Plan]:
    channels = ["chat", "telegram"]
    return {
        "standard": Plan.objects.create(
            name="Standard",
            policy=standard,
            support_hours=standard.calendar,
            realtime=Plan.Realtime.FIRST_DAYS,
            realtime_channels=channels,
            is_default=True,
        ),
        "enterprise": Plan.objects.create(
            name="Enterprise",
            policy=enterprise,
            support_hours=enterprise.calendar,
            urgent_when_closed=True,
            realtime=Plan.Realtime.ALWAYS,
            realtime_channels=channels,
        ),
        "unlimited": Plan.objects.create(
            name="Unlimited Professional Service",
            policy=standard,
            support_hours=standard.calendar,
            realtime=Plan.Realtime.ALWAYS,
            realtime_channels=channels,
        ),
    }


def _agents() -> tuple[User, User, User]:
    people = (
        ("ada@demo.example", "Ada Lovelace", User.Role.ADMIN),
        ("grace@demo.example", "Grace Hopper", User.Role.AGENT),
        ("linus@demo.example", "Linus Torvalds", User.Role.AGENT),
    )
    ada, grace, linus = (
        User.objects.create_user(email, PASSWORD, name=name, role=role) for email, name, role in people
    )
    return ada, grace, linus


def _on_call(ada: User, grace: User, linus: User, at: datetime) -> EscalationPolicy:
    """Grace has the pager; after ten minutes Ada is called as well, then Linus, round and round."""
    schedule = Schedule.objects.create(name="Engineers on call", timezone="Europe/Berlin", fallback=ada)
    layer = Layer.objects.create(
        schedule=schedule,
        position=1,
        rotation=Layer.Rotation.WEEKLY,
        starts_on=at.date() - timedelta(days=at.weekday()),
        handoff=time(9, 0),
    )
    LayerMember.objects.create(layer=layer, user=grace, position=1)
    rotas.plan(schedule, at=at)
    policy = EscalationPolicy.objects.create(name="Engineers", is_default=True)
    EscalationStep.objects.create(policy=policy, position=1, schedule=schedule, delay_seconds=600)
    EscalationStep.objects.create(policy=policy, position=2, user=ada, delay_seconds=600)
    EscalationStep.objects.create(policy=policy, position=3, user=linus, delay_seconds=600)
    NotificationRule.objects.create(user=grace, urgency="high", channel="email", to=grace.email)
    NotificationRule.objects.create(
        user=grace, urgency="low", channel="email", to=grace.email, quiet_from=time(20), quiet_until=time(8)
    )
    return policy


def _teams(escalation: EscalationPolicy, *agents: User) -> dict[str, Team]:
    teams = {}
    for name in ("Support", "Sales", "Backoffice", "Hosting"):
        teams[name] = Team.objects.create(name=name, escalation_policy=escalation)
        teams[name].members.set(agents)
    return teams


def _mailboxes(teams: dict[str, Team]) -> None:
    for local, team, priority, name in (
        ("support", "Support", "normal", "Demo Hosting Support"),
        ("info", "Sales", "low", "Demo Hosting"),
        ("backoffice", "Backoffice", "normal", "Demo Hosting Backoffice"),
        ("hosting", "Hosting", "normal", "Demo Hosting Operations"),
    ):
        Mailbox.objects.create(
            address=f"{local}@demo.example",
            name=name,
            team=teams[team],
            priority=priority,
            is_default=local == "support",
        )


def _chat(team: Team, at: datetime, *agents: User) -> None:
    """A widget for pages of any origin, and everybody there to chat."""
    Widget.objects.create(key=WIDGET_KEY, name="Demo website", team=team, created_at=at)
    ChatAgent.objects.bulk_create(ChatAgent(user=agent) for agent in agents)


def _organizations(plans: dict[str, Plan], at: datetime) -> dict[str, Organization]:
    today = at.date()
    organizations = {}
    for key, name, plan, since, person, address in (
        (
            "acme",
            "Acme Media",
            "standard",
            today.replace(year=today.year - 4, day=1),
            "Carol Meyer",
            "carol@acme.example",
        ),
        (
            "globex",
            "Globex",
            "enterprise",
            today.replace(year=today.year - 2, day=1),
            "Gil Ortega",
            "gil@globex.example",
        ),
        ("initech", "Initech", "standard", today, "Ivy Chen", "ivy@initech.example"),
        ("umbrella", "Umbrella Studio", "unlimited", date(today.year - 3, 3, 1), "Uma Singh", "uma@umbrella.example"),
    ):
        organization = Organization.objects.create(
            name=name, plan=plans[plan], customer_since=since, domains=[address.partition("@")[2]]
        )
        customer = Customer.objects.create(name=person, email=address, organization=organization, created_at=at)
        Identity.objects.create(customer=customer, channel="email", handle=address, verified_at=at)
        organizations[key] = organization
    return organizations


def _services(organizations: dict[str, Organization]) -> None:
    """Three clusters; each organization's website lies on one of their servers."""
    owners = {"c01": ("acme", "initech"), "c02": ("globex",), "c03": ("umbrella",)}
    for number, (name, keys) in enumerate(owners.items(), start=1):
        cluster = Service.objects.create(kind=Service.Kind.CLUSTER, name=name)
        servers = [
            Service.objects.create(
                kind=Service.Kind.SERVER,
                name=f"{name}-web{place}.demo.example",
                aliases=[f"{name}-web{place}", f"192.0.2.{number * 10 + place}"],
                parent=cluster,
            )
            for place in (1, 2)
        ]
        for place, key in enumerate(keys):
            website = Service.objects.create(
                kind=Service.Kind.WEBSITE, name=f"{key}.example", aliases=[f"www.{key}.example"], parent=servers[place]
            )
            website.organizations.add(organizations[key])
            cluster.organizations.add(organizations[key])


def _components(at: datetime) -> None:
    """The status page: clusters with their servers, and what all customers use."""
    for place, cluster in enumerate(Service.objects.filter(kind=Service.Kind.CLUSTER).order_by("name"), start=1):
        group = editing.add({"name": cluster.name, "is_group": True, "position": place * 10}, at=at)
        for number, server in enumerate(cluster.children.order_by("name"), start=1):
            fields = {"name": server.name, "group": group, "position": place * 10 + number}
            editing.add(fields, services=[server], at=at)
    for place, (name, about) in enumerate(
        (("Mail", "Mailboxes, sending and receiving"), ("Control panel", "Where customers manage what they have")),
        start=1,
    ):
        editing.add({"name": name, "description": about, "position": 100 + place}, at=at)


@transaction.atomic
def load_social(*, at: datetime) -> None:
    """What the company promises on the networks, with accounts that nobody has connected yet: X within half an hour
    while it is covered, Facebook several times a day.
    """
    office, schedule = Calendar.objects.get(name="12x5"), Schedule.objects.order_by("pk").first()
    day = [time(8), time(12), time(16), time(19)]
    for network, seconds, coverage, checks in (
        (Account.Network.X, 30 * MINUTE, Account.Coverage.CONSTANT, []),
        (Account.Network.FACEBOOK, 4 * HOUR, Account.Coverage.SEVERAL_TIMES_A_DAY, day),
    ):
        policy = Policy.objects.create(name=f"{network.label}, in public", calendar=office)
        Goal.objects.bulk_create(
            Goal(policy=policy, target=target, priority=priority, seconds=seconds)
            for target in (Target.FIRST_RESPONSE, Target.NEXT_RESPONSE)
            for priority in FIRST_RESPONSE
        )
        Account.objects.create(
            network=network,
            name=f"Demo Hosting on {network.label}",
            policy=policy,
            schedule=schedule,
            coverage=coverage,
            checks=checks,
            created_at=at,
        )
    Topic.objects.bulk_create(
        Topic(name=name, rule=rule, words=words, guidance=guidance, answer=answer, position=position)
        for position, (name, rule, words, guidance, answer) in enumerate(SOCIAL_TOPICS)
    )
