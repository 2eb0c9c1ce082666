"""Alerts of monitoring systems that come by mail, so that a problem and its recovery meet in one ticket.

Known are the default mails of Nagios 1 to 4, Icinga 1 and 2 (`mail-host-notification.sh`), Zabbix 2 to 7 (message
templates of the mail media types), Prometheus Alertmanager (`default.tmpl`, Grafana's copy of it) and UptimeRobot.
The subject must be theirs from its first character, so an answer (`Re: ** PROBLEM`) is none, and the text or the sender
must look like a machine's as well, so that a person who pastes a subject is not taken for one.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from tickets.mail.automatic import automatic_reason
from tickets.mail.parsed import ParsedMail

Source = Literal["nagios", "icinga", "zabbix", "alertmanager", "uptimerobot"]
Severity = Literal["critical", "warning", "info"]

LONGEST_SUBJECT = 1_000
LONGEST_KEY = 200
READ_LINES = 200
LONGEST_LINE = 1_000

_TYPES = "PROBLEM|RECOVERY|ACKNOWLEDGEMENT|CUSTOM|FLAPPING[A-Z]{0,10}|DOWNTIME[A-Z]{0,10}"
_STATES = "CRITICAL|WARNING|UNKNOWN|OK|DOWN|UP|UNREACHABLE|PENDING"
_END = rf" is (?P<state>{_STATES})\s?!?(?:\s?\*\*)?"
_CHECKS = (
    # Nagios 3, 4, Icinga 1: ** PROBLEM Service Alert: web1/HTTP is CRITICAL **
    re.compile(rf"\*\* (?P<type>{_TYPES}) Service Alert: (?P<host>[^/]+)/(?P<service>.+?){_END}"),
    re.compile(rf"\*\* (?P<type>{_TYPES}) Host Alert: (?P<host>.+?){_END}"),
    # Nagios 1, 2: ** PROBLEM alert 3 - web1/HTTP is CRITICAL **, ** PROBLEM alert 3 - web1 host is DOWN **
    re.compile(rf"\*\* (?P<type>{_TYPES}) alert(?: \d+)? - (?P<host>[^/]+)/(?P<service>.+?){_END}"),
    re.compile(rf"\*\* (?P<type>{_TYPES}) alert(?: \d+)? - (?:Host )?(?P<host>.+?)(?: host)?{_END}"),
    # Icinga 2: [PROBLEM] HTTP on web1 is CRITICAL!, [PROBLEM] Host web1 is DOWN!
    re.compile(rf"\[(?P<type>{_TYPES})\] Host (?P<host>.+?){_END}"),
    re.compile(rf"\[(?P<type>{_TYPES})\] (?P<service>.+) on (?P<host>.+?){_END}"),
    # Icinga 2 before 2.7: PROBLEM - web1 - HTTP is CRITICAL, PROBLEM - web1 is DOWN
    re.compile(rf"(?P<type>{_TYPES}) - (?P<host>.+?) - (?P<service>.+?){_END}"),
    re.compile(rf"(?P<type>{_TYPES}) - (?P<host>.+?){_END}"),
)
_HOST_STATES = frozenset({"UP", "DOWN", "UNREACHABLE"})
_ZABBIX = re.compile(
    r"[^\w\[(\"]{0,5}(?:Service \"(?P<service>[^\"]{1,200})\" )?"
    r"(?:Problem|(?P<resolved>Resolved(?: in [^:]{1,60})?|OK)|(?P<update>Updated problem(?: in [^:]{1,60})?))"
    r": ?(?P<name>.+)",
    re.IGNORECASE,
)
_ZABBIX_ITEM = re.compile(r"\d{1,3}\. .{1,300} \((?P<host>[^():]{1,200}):")
_ALERTMANAGER = re.compile(
    r"\[(?:(?P<firing>FIRING:\d{1,6})(?:,\s?RESOLVED:\d{1,6})?|(?P<resolved>RESOLVED)(?::\d{1,6})?)\]\s?(?P<labels>.*)"
)
_UPTIME = re.compile(r"[^\w\[(]{0,5}Monitor is (?P<state>DOWN|UP):\s?(?P<name>.+)", re.IGNORECASE)

_FIELD = re.compile(r"\s{0,8}[*-]{0,3}\s?(?P<key>[A-Za-z][A-Za-z /]{1,30}?)\s{0,4}[:=]\s{0,40}(?P<value>.*)")
_DISPLAY_NAME = re.compile(r"\s\(Display Name: .*\)$")
_MACHINE_SENDER = re.compile(
    r".{0,250}(?:nagios|icinga|zabbix|alertmanager|prometheus|uptimerobot)"
    r"|(?:[^@]{0,60}[^a-z@])?(?:monitor(?:ing)?|alerts?|alarms?|grafana|noc|no-?reply|root)(?:[^a-z]|$)"
)
_FIRST_LINES = {
    "nagios": re.compile(r"\*{3,} ?(?:Nagios|Icinga)|Notification Type:|(?:Service|Host): ", re.IGNORECASE),
    "icinga": re.compile(
        r"\*{3,} ?(?:Icinga|(?:Host|Service) Monitoring on )|Notification Type:|(?:Service|Host): ", re.IGNORECASE
    ),
    "zabbix": re.compile(
        r"Problem (?:started|has been resolved|name:)|Trigger(?: status)?: |Original (?:problem|event) ID"
        r"|Service problem started |Service \".{1,200}\" has been resolved |.{1,120} problem at \d",
        re.IGNORECASE,
    ),
    "alertmanager": re.compile(
        r"\d+ alerts? for|Sent by Alertmanager|View in Alertmanager|\[\d+\] (?:Firing|Resolved)|Labels\b|alertname\b"
        r"|\*\*(?:Firing|Resolved)",
        re.IGNORECASE,
    ),
    "uptimerobot": re.compile(r"The monitor .{1,400} is (?:currently DOWN|back UP)|Event timestamp", re.IGNORECASE),
}
_ZABBIX_SEVERITIES: dict[str, Severity] = {
    "disaster": "critical",
    "high": "critical",
    "average": "warning",
    "warning": "warning",
}
_LABEL_SEVERITIES: dict[str, Severity] = {
    **dict.fromkeys(("critical", "crit", "page", "error", "fatal", "emergency", "disaster", "high"), "critical"),
    **dict.fromkeys(("warning", "warn", "major", "minor", "average", "medium"), "warning"),
    **dict.fromkeys(("info", "information", "none", "low", "debug", "notice"), "info"),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """What a monitoring mail says of one check.

    `key` is the same in the mails of a problem, its acknowledgement and its recovery, and at most 200 characters long.
    `informational` mails (acknowledgements, flapping, downtimes, updates) neither open nor end a problem. Zabbix names
    no problem in its updates: theirs is a key of its own.
    """

    source: Source
    key: str
    host: str
    service: str
    recovered: bool
    severity: Severity
    title: str
    informational: bool = False


def recognise(mail: ParsedMail) -> Alert | None:
    """The alert a mail carries; None for any other mail, also one in which a person quotes an alert."""
    subject = mail.subject[:LONGEST_SUBJECT].strip()
    lines = [line[:LONGEST_LINE].strip() for line in mail.text.split("\n", READ_LINES)[:READ_LINES]]
    for read in (_read_check, _read_alertmanager, _read_uptime_robot, _read_zabbix):
        alert = read(subject, lines)
        if alert is not None:
            return alert if _is_from_a_machine(alert, mail, lines) else None
    return None


def _read_check(subject: str, lines: list[str]) -> Alert | None:
    match = next((found for pattern in _CHECKS if (found := pattern.fullmatch(subject))), None)
    if match is None:
        return None
    parts, fields = match.groupdict(), _fields(lines)
    state, kind = parts["state"], parts["type"]
    host, service = parts["host"].strip(), (parts.get("service") or "").strip()
    if state not in _HOST_STATES or service:
        # A host alias may hold a slash and a service " on ": the text names each on a line of its own.
        service = _named(fields, ("service",), subject) or service
    host = _named(fields, ("host", "hostname", "nagios hostname"), subject) or host
    source: Source = (
        "icinga" if not subject.startswith("**") or any("Icinga" in line for line in lines[:3]) else "nagios"
    )
    recovered = kind == "RECOVERY" and state in ("OK", "UP")
    severity: Severity = "info"
    if not recovered and state not in ("OK", "UP", "PENDING"):
        severity = "warning" if state in ("WARNING", "UNKNOWN") else "critical"
    title = f"{host}/{service} is {state}" if service else f"{host} is {state}"
    return Alert(
        source,
        _key(source, host, service),
        host,
        service,
        recovered,
        severity,
        title,
        kind not in ("PROBLEM", "RECOVERY"),
    )


def _read_zabbix(subject: str, lines: list[str]) -> Alert | None:
    match = _ZABBIX.fullmatch(subject)
    # Persons write "Problem: ..." too, so the text must have the words of the default templates.
    if match is None or not any(_FIRST_LINES["zabbix"].match(line) for line in lines):
        return None
    fields = _fields(lines)
    name, problem = match["name"].strip(), fields.get("original problem id", "")
    host = fields.get("host") or next((item["host"] for line in lines if (item := _ZABBIX_ITEM.match(line))), "")
    # Zabbix 2 calls its id "Original event ID"; with some settings that is the recovery's own, so the name has to do.
    key = _key("zabbix", "problem", problem) if problem.isdigit() else _key("zabbix", host, name)
    severity = _ZABBIX_SEVERITIES.get((fields.get("severity") or fields.get("trigger severity") or "").lower(), "info")
    recovered, informational = match["resolved"] is not None, match["update"] is not None
    service = match["service"] or name
    return Alert("zabbix", key, host, service, recovered, "info" if recovered else severity, name, informational)


def _read_alertmanager(subject: str, lines: list[str]) -> Alert | None:
    match = _ALERTMANAGER.fullmatch(subject)
    if match is None:
        return None
    group, common = _split_labels(match["labels"].strip())
    fields = _fields(lines)
    recovered = match["resolved"] is not None
    words = common.lower().split() + group.lower().split()
    words.insert(0, fields.get("severity", "").lower())
    severity: Severity = next((_LABEL_SEVERITIES[word] for word in words if word in _LABEL_SEVERITIES), "warning")
    name = fields.get("alertname") or (group or common).partition(" ")[0]
    # The labels in parentheses are those all alerts of the moment share: they change while the group lives.
    key = _key("alertmanager", group)
    title = f"{group} ({common})" if group and common else group or common
    hosts = {line for line in lines if line.startswith("instance = ")}
    host = fields.get("instance", "") if len(hosts) == 1 else ""
    return Alert("alertmanager", key, host, name, recovered, "info" if recovered else severity, title)


def _read_uptime_robot(subject: str, lines: list[str]) -> Alert | None:
    match = _UPTIME.fullmatch(subject)
    if match is None:
        return None
    name, recovered = match["name"].strip(), match["state"].upper() == "UP"
    severity: Severity = "info" if recovered else "critical"
    title = f"{name} is {'up' if recovered else 'down'}"
    return Alert("uptimerobot", _key("uptimerobot", name), name, "", recovered, severity, title)


def _is_from_a_machine(alert: Alert, mail: ParsedMail, lines: list[str]) -> bool:
    """A machine's mail begins with its own words; a person's with a greeting, a question or a quotation."""
    first = next((line for line in lines if line and line != mail.subject), "")
    if _FIRST_LINES[alert.source].match(first):
        return True
    if mail.in_reply_to and not all(one.endswith("@alertmanager>") for one in mail.in_reply_to):
        return False
    if any(line.startswith(">") for line in lines):
        return False
    return bool(mail.sender and _MACHINE_SENDER.match(mail.sender.email)) or bool(automatic_reason(mail, None))


def _fields(lines: list[str]) -> dict[str, str]:
    """The first value of each `Key: value` or `key = value` line, by lower-cased key."""
    found: dict[str, str] = {}
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match and match["value"].strip():
            found.setdefault(match["key"].strip().lower(), match["value"].strip())
    return found


def _named(fields: dict[str, str], keys: tuple[str, ...], subject: str) -> str:
    """A name from the text, if the subject has it too: else the text is about something else."""
    for key in keys:
        name = _DISPLAY_NAME.sub("", fields.get(key, ""))
        if name and name in subject:
            return name
    return ""


def _split_labels(labels: str) -> tuple[str, str]:
    """`HighLoad web1 (critical eu)` as group labels and common labels: the last balanced parentheses at its end."""
    if not labels.endswith(")"):
        return labels, ""
    depth = 0
    for position in range(len(labels) - 1, -1, -1):
        depth += (labels[position] == ")") - (labels[position] == "(")
        if depth == 0:
            return labels[:position].strip(), labels[position + 1 : -1].strip()
    return labels, ""


def _key(source: str, *parts: str) -> str:
    key = f"{source}:" + "!".join(" ".join(part.casefold().split()) for part in parts)
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[: LONGEST_KEY - 33]}#{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}"
