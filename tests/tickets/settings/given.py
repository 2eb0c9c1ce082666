"""What is entered for each area of the settings."""

from typing import Any

from helpdesk.customers.models import Organization, Plan, Service, Team, User
from helpdesk.oncall.models import Schedule
from helpdesk.sla.models import Calendar, Policy
from tickets.models import Mailbox


def given() -> dict[str, tuple[dict[str, Any], dict[str, Any], str]]:
    """For each area: what is valid, what makes it wrong, and a word of what is said then."""
    calendar, policy, plan = (model.objects.order_by("pk")[0].pk for model in (Calendar, Policy, Plan))
    mailbox, schedule = Mailbox.objects.order_by("pk")[0].pk, Schedule.objects.order_by("pk")[0].pk
    ada, team = User.objects.get(email="ada@demo.example").pk, Team.objects.order_by("pk")[0].pk
    cluster = Service.objects.filter(kind="cluster").order_by("pk")[0].name
    organization = f"#{Organization.objects.order_by('pk')[0].pk}"
    return {
        "mailboxes": (
            {"address": "new@demo.example", "name": "New", "priority": "high", "team": team, "aliases": "o@x.example"},
            {"aliases": "support@demo.example"},
            "belongs to",
        ),
        "accounts": (
            {"mailbox": mailbox, "host": "mail.example", "port": 993, "use_tls": "on", "username": "u", "secret": "s",
             "folder": "INBOX", "is_active": "on"},
            {"host": "no host"},
            "does not match",
        ),
        "teams": ({"name": "Night", "members": [ada], "is_private": "on"}, {"name": "support"}, "team of this name"),
        "agents": (
            {"name": "Kay", "email": "kay@demo.example", "role": "agent", "language": "en", "timezone": "Europe/Berlin",
             "teams": [team], "is_active": "on"},
            {"timezone": "Mars/Crater"},
            "time zone",
        ),
        "organizations": (
            {"name": "Hooli", "plan": plan, "customer_since": "2026-01-01", "domains": "hooli.example\nHooli.TEST"},
            {"customer_since": "soon"},
            "date",
        ),
        "customers": (
            {"name": "Hal", "email": "hal@hooli.example", "organization": organization, "notes": "Likes chess."},
            {"email": "carol@acme.example"},
            "customer already",
        ),
        "plans": (
            {"name": "Gold", "policy": policy, "support_hours": calendar, "realtime": "always", "realtime_days": "0",
             "realtime_channels": ["chat"]},
            {"name": "Standard"},
            "already exists",
        ),
        "services": (
            {"kind": "server", "name": "c09-web1.demo.example", "aliases": "c09", "parent": cluster,
             "organizations": [organization]},
            {"name": "c01"},
            "already exists",
        ),
        "policies": (
            {"name": "Fast", "calendar": calendar, "first_response-urgent": "15 min", "dispatch-urgent": "1h 30 min"},
            {"first_response-urgent": "soon"},
            "4 h",
        ),
        "calendars": (
            {"name": "Nights", "timezone": "Europe/Berlin", "mon": "22-06, 12:00–13:00", "holidays": "2026-12-24 Eve"},
            {"mon": "late"},
            "Write spans",
        ),
        "schedules": (
            {"name": "Nights", "timezone": "Europe/Berlin", "fallback": ada, "layer-parts": "1",
             "layer0-members": "grace@demo.example\nada@demo.example", "layer0-turn": "1", "layer0-rotation": "weekly",
             "layer0-handoff": "09:00", "layer0-starts_on": "2026-01-05", "layer0-days": ["0", "1"],
             "layer0-start": "20:00", "layer0-end": "08:00"},
            {"layer0-members": "nobody@demo.example"},
            "no active agent",
        ),
        "escalations": (
            {"name": "Nights", "step-parts": "2", "step0-who": f"schedule:{schedule}", "step0-minutes": "10",
             "step1-who": f"user:{ada}", "step1-minutes": "1 h", "repeats": "2"},
            {"step1-minutes": "never"},
            "4 h",
        ),
        "canned": (
            {"name": "Thanks", "shortcut": "thanks", "text": "Hi, {{ customer.first_name }}!", "audience": "all"},
            {"text": "{{ customer.shoe_size }}"},
            "shoe_size",
        ),
        "macros": (
            {"name": "Spam", "audience": "all", "step-parts": "2", "step0-do": "add_tags", "step0-text": "junk, spam",
             "step1-do": "set_status:closed"},
            {"step0-text": ""},
            "Say what",
        ),
        "views": (
            {"name": "Loud", "audience": str(team), "status": ["new"], "priority": ["urgent"], "tag": "vip, loud"},
            {"status": ["asleep"]},
            "asleep",
        ),
        "wallboards": ({"name": "Reception", "team": team}, {"team": "999999"}, "valid choice"),
        "tags": ({"name": "Brand New"}, {"name": "a, b"}, "comma"),
        "fields": (
            {"name": "Order number", "kind": "choice", "choices": "one\ntwo", "position": "3", "is_active": "on"},
            {"choices": ""},
            "choices",
        ),
        "rules": (
            {"name": "Loud", "is_active": "on", "event": "conversation.opened", "position": "1", "condition-parts": "1",
             "condition0-field": "organization", "condition0-operator": "is", "condition0-value": "acme media",
             "step-parts": "1", "step0-do": "set_priority:high"},
            {"condition0-value": "Nobody Inc"},
            "Nobody Inc",
        ),
        "webhooks": (
            {"name": "Room", "url": "https://203.0.113.9/x", "kinds": ["conversation.opened"], "is_active": "on"},
            {"kinds": ["made.up"]},
            "made.up",
        ),
        "blocked": ({"handle": "@Spam.example", "why": "spam"}, {"handle": "nonsense"}, "e-mail address"),
        "notifications": (
            {"urgency": "low", "channel": "email", "to": "me@demo.example", "minutes": "5", "quiet_from": "22:00",
             "quiet_until": "06:00"},
            {"quiet_until": ""},
            "a beginning and an end",
        ),
        "widgets": (
            {"name": "Shop", "team": team, "origins": "https://shop.example", "color": "#0B6E4F", "asks_name": "on",
             "when_closed": "hide", "is_active": "on"},
            {"origins": "shop.example/path"},
            "is no origin",
        ),
        "kb": (
            {"name_en": "Backups", "name_de": "Backups", "about_en": "Copies.", "position": "3", "icon": "server"},
            {"name_en": "", "name_de": ""},
            "needs a name",
        ),
        "components": (
            {"name": "web99.example", "description": "Shops", "position": "3", "own_state": "operational",
             "shows_uptime": "on", "started_on": "2026-01-05", "services": cluster},
            {"is_group": "on"},
            "stand for services",
        ),
        "incident_templates": (
            {"name": "Disks", "kind": "incident", "title": "Disks gone", "status": "investigating", "body": "We look."},
            {"status": "scheduled"},
            "other kind",
        ),
        "maintenance_series": (
            {"name": "Kernel", "body": "Restarts.", "begins": "2026-12-01T02:00", "timezone": "Europe/Berlin",
             "minutes": "2 h", "how": "FREQ=WEEKLY", "remind_minutes": "1 h"},
            {"how": "own", "rule": "FREQ=SOMETIMES"},
            "FREQ",
        ),
        "signals": (
            {"name": "Prometheus", "kind": "alertmanager", "mode": "propose", "holds_seconds": "60"},
            {"holds_seconds": "-1"},
            "greater than or equal",
        ),
        "subscribers": (
            {"kind": "email", "address": "reader@acme.example", "language": "en", "is_confirmed": "on"},
            {"address": "nonsense"},
            "nothing there",
        ),
        "phone": (
            {"name": "Night line", "number": "+49 30 99999", "language": "de", "longest_seconds": "180",
             "is_active": "on", "closed_de": "Bitte sprechen Sie.", "open_fr": "https://example.org/bonjour.mp3"},
            {"number": "030 123456"},
            "with its country",
        ),
        "plan_changes": (
            {"organization": "Acme Media", "plan": plan, "due_at": "2030-01-01T00:00", "reason": "Bought"},
            {"due_at": "2001-01-01T00:00"},
            "a time to come",
        ),
        "social": (
            {"network": "mastodon", "name": "Us", "coverage": "several", "checks": "08:30\n16:00", "send_delay": "20",
             "base_url": "https://mastodon.example", "secret_access_token": "t", "is_active": "on", "daily_cap": "2.50",
             "staff_handles": "@ada"},
            {"checks": "noon"},
            "times such as",
        ),
        "public_topics": ({"name": "Outages", "rule": "public", "words": "down\noutage", "position": "1"},
                          {"name": ""}, "required"),
        "topics": ({"name": "Moving", "hint": "From where?", "position": "2", "priority": "low"}, {"name": ""},
                   "required"),
        "tokens": ({"name": "backup"}, {"name": ""}, "required"),
    }  # fmt: skip
