"""Alerts by mail: the default formats, one key from problem to recovery, and persons who quote an alert."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.mail.monitoring import Alert, recognise
from tickets.mail.parsing import parse


def alert(
    subject: str, body: str, *, sender: str = "ops@customer.example", html: bool = False, **headers: str
) -> Alert | None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "support@desk.example", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body, subtype="html" if html else "plain")
    return recognise(parse(message.as_bytes()))


def found(subject: str, body: str, *, sender: str = "ops@customer.example", html: bool = False) -> Alert:
    result = alert(subject, body, sender=sender, html=html)
    assert result is not None
    return result


def nagios(kind: str, state: str, brand: str = "Nagios") -> str:
    return (
        f"***** {brand} *****\n\nNotification Type: {kind}\n\nService: HTTP\nHost: web1\nAddress: 10.0.0.1\n"
        f"State: {state}\n\nDate/Time: Mon Jan 5 10:00:00 UTC 2026\n\nAdditional Info:\n\nConnection refused\n"
    )


def test_nagios_service_problem_and_recovery() -> None:
    problem = found("** PROBLEM Service Alert: web1/HTTP is CRITICAL **", nagios("PROBLEM", "CRITICAL"))
    recovery = found("** RECOVERY Service Alert: web1/HTTP is OK **", nagios("RECOVERY", "OK"))
    assert (problem.source, problem.host, problem.service, problem.severity) == ("nagios", "web1", "HTTP", "critical")
    assert (problem.recovered, recovery.recovered) == (False, True)
    assert problem.key == recovery.key
    assert problem.title == "web1/HTTP is CRITICAL"


def test_nagios_host_problem_and_recovery() -> None:
    body = "***** Nagios *****\n\nNotification Type: {}\nHost: web1\nState: {}\nAddress: 10.0.0.1\nInfo: PING\n"
    problem = found("** PROBLEM Host Alert: web1 is DOWN **", body.format("PROBLEM", "DOWN"))
    recovery = found("** RECOVERY Host Alert: web1 is UP **", body.format("RECOVERY", "UP"))
    assert (problem.host, problem.service, problem.severity) == ("web1", "", "critical")
    assert recovery.recovered
    assert (
        problem.key
        == recovery.key
        != found("** PROBLEM Service Alert: web1/HTTP is CRITICAL **", nagios("PROBLEM", "CRITICAL")).key
    )


@pytest.mark.parametrize("state", ["WARNING", "UNKNOWN"])
def test_lesser_states_are_warnings_of_the_same_check(state: str) -> None:
    warning = found(f"** PROBLEM Service Alert: web1/HTTP is {state} **", nagios("PROBLEM", state))
    critical = found("** PROBLEM Service Alert: web1/HTTP is CRITICAL **", nagios("PROBLEM", "CRITICAL"))
    assert warning.severity == "warning"
    assert warning.key == critical.key


@pytest.mark.parametrize(
    "kind", ["ACKNOWLEDGEMENT", "FLAPPINGSTART", "FLAPPINGSTOP", "DOWNTIMESTART", "DOWNTIMEEND", "CUSTOM"]
)
@pytest.mark.parametrize("state", ["CRITICAL", "OK"])
def test_other_notifications_open_and_end_nothing(kind: str, state: str) -> None:
    other = found(f"** {kind} Service Alert: web1/HTTP is {state} **", nagios(kind, state))
    assert other.informational
    assert not other.recovered
    assert other.key == found("** RECOVERY Service Alert: web1/HTTP is OK **", nagios("RECOVERY", "OK")).key


def test_nagios_2_and_icinga_1_subjects() -> None:
    old = found("** PROBLEM alert 3 - web1/HTTP is CRITICAL **", nagios("PROBLEM", "CRITICAL"))
    assert (old.source, old.host, old.service) == ("nagios", "web1", "HTTP")
    host = found("** PROBLEM alert 1 - web1 host is DOWN **", "***** Nagios *****\n\nHost: web1\nState: DOWN\n")
    assert (host.host, host.service) == ("web1", "")
    icinga = found("** PROBLEM Service Alert: web1/HTTP is CRITICAL **", nagios("PROBLEM", "CRITICAL", "Icinga"))
    assert icinga.source == "icinga"


def test_a_slash_in_a_host_alias_is_settled_by_the_text() -> None:
    body = nagios("PROBLEM", "CRITICAL").replace("Host: web1", "Host: Berlin / web1")
    problem = found("** PROBLEM Service Alert: Berlin / web1/HTTP is CRITICAL **", body)
    assert (problem.host, problem.service) == ("Berlin / web1", "HTTP")


ICINGA_2 = (
    "***** Service Monitoring on master1 *****\n\nLoad on all cores on web1 is {0}!\n\nInfo:    load average\n\n"
    'When:    2026-01-05 10:00:00 +0000\nService: load (Display Name: "Load on all cores")\n'
    'Host:    web1 (Display Name: "web1")\nIPv4:    10.0.0.1\n'
)


def test_icinga_2_service() -> None:
    problem = found("[PROBLEM] Load on all cores on web1 is WARNING!", ICINGA_2.format("WARNING"))
    recovery = found("[RECOVERY] Load on all cores on web1 is OK!", ICINGA_2.format("OK"))
    flapping = found("[FLAPPINGSTART] Load on all cores on web1 is WARNING!", ICINGA_2.format("WARNING"))
    assert (problem.source, problem.host, problem.service) == ("icinga", "web1", "Load on all cores")
    assert (problem.severity, recovery.recovered) == ("warning", True)
    assert (flapping.informational, flapping.recovered) == (True, False)
    assert problem.key == recovery.key == flapping.key


def test_icinga_2_host_and_the_format_before_2_7() -> None:
    body = "***** Host Monitoring on master1 *****\n\nweb1 is {0}!\n\nInfo:    PING\n\nHost:    web1\n"
    problem, recovery = (
        found("[PROBLEM] Host web1 is DOWN!", body.format("DOWN")),
        found("[RECOVERY] Host web1 is UP!", body.format("UP")),
    )
    assert (problem.host, problem.service, problem.key) == ("web1", "", recovery.key)
    old = found("PROBLEM - web1 - HTTP is CRITICAL", nagios("PROBLEM", "CRITICAL", "Icinga "))
    assert (old.source, old.host, old.service) == ("icinga", "web1", "HTTP")


ZABBIX = (
    "Problem started at 10:00:00 on 2026.01.05\nProblem name: Disk space is low on /var\nHost: db1\nSeverity: {0}\n"
    "Operational data: 93 %\nOriginal problem ID: {1}\n"
)
ZABBIX_RESOLVED = (
    "Problem has been resolved at 10:01:00 on 2026.01.05\nProblem name: Disk space is low on /var\n"
    "Problem duration: 1m\nHost: db1\nSeverity: High\nOriginal problem ID: {0}\n"
)


def test_zabbix_pairs_by_problem_id() -> None:
    problem = found("Problem: Disk space is low on /var", ZABBIX.format("High", 4711))
    recovery = found("Resolved in 1m 2s: Disk space is low on /var", ZABBIX_RESOLVED.format(4711))
    another = found("Problem: Disk space is low on /var", ZABBIX.format("High", 4712))
    assert (problem.source, problem.host, problem.service) == ("zabbix", "db1", "Disk space is low on /var")
    assert (problem.severity, problem.recovered, recovery.recovered) == ("critical", False, True)
    assert problem.key == recovery.key != another.key


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Disaster", "critical"),
        ("Average", "warning"),
        ("Warning", "warning"),
        ("Information", "info"),
        ("Not classified", "info"),
    ],
)
def test_zabbix_severities(word: str, severity: str) -> None:
    assert found("Problem: Disk space is low on /var", ZABBIX.format(word, 1)).severity == severity


def test_zabbix_html_mail() -> None:
    body = (
        "<b>Problem started</b> at 10:00:00 on 2026.01.05<br><b>Problem name:</b> Ping lost<br><b>Host:</b> db1<br>"
        "<b>Severity:</b> High<br><b>Original problem ID:</b> 99<br>"
    )
    problem = found("Problem: Ping lost", body, html=True)
    assert (problem.host, problem.severity, problem.key) == ("db1", "critical", "zabbix:problem!99")


def test_zabbix_update_is_informational() -> None:
    body = "Anna (a) acknowledged problem at 2026.01.05 10:05:00.\nlooking\n\nCurrent problem status is PROBLEM.\n"
    update = found("Updated problem in 5m: Ping lost", body)
    assert (update.informational, update.recovered) == (True, False)


def test_zabbix_2_pairs_by_host_and_name() -> None:
    body = (
        "Trigger: Ping lost\nTrigger status: {0}\nTrigger severity: Disaster\nTrigger URL:\n\nItem values:\n\n"
        "1. ICMP ping (db1:icmpping): 0\n2. *UNKNOWN* (*UNKNOWN*:*UNKNOWN*): *UNKNOWN*\n\nOriginal event ID: {1}\n"
    )
    problem, recovery = (
        found("PROBLEM: Ping lost", body.format("PROBLEM", 7)),
        found("OK: Ping lost", body.format("OK", 8)),
    )
    assert (problem.host, problem.severity, recovery.recovered) == ("db1", "critical", True)
    assert problem.key == recovery.key


FIRING = (
    "<html><head><title>x</title></head><body><table><tr><td>{0} alerts for alertname=HighLoad cluster=eu</td></tr>"
    "<tr><td><a href='http://am'>View in AlertManager</a></td></tr><tr><td>[{0}] Firing</td></tr>"
    "<tr><td><strong>Labels</strong><br>alertname = HighLoad<br>cluster = eu<br>instance = {1}<br>"
    "severity = critical<br></td></tr></table></body></html>"
)


def test_alertmanager_group_keeps_its_key_while_its_alerts_change() -> None:
    first = found("[FIRING:1] HighLoad eu (web1:9100 critical)", FIRING.format(1, "web1:9100"), html=True)
    more = found("[FIRING:2] HighLoad eu (critical)", FIRING.format(2, "web2:9100"), html=True)
    resolved = found("[RESOLVED] HighLoad eu (web2:9100 critical)", FIRING.format(1, "web2:9100"), html=True)
    other = found("[FIRING:1] HighLoad us (critical)", FIRING.format(1, "web9:9100"), html=True)
    assert (first.source, first.service, first.host, first.severity) == (
        "alertmanager",
        "HighLoad",
        "web1:9100",
        "critical",
    )
    assert first.key == more.key == resolved.key != other.key
    assert (first.recovered, more.recovered, resolved.recovered) == (False, False, True)


def test_alertmanager_labels_may_hold_parentheses_or_be_absent() -> None:
    body = "1 alert for alertname=Load\n"
    nested = found("[FIRING:1] Load (5m) (web1 (rack 2) warning)", body)
    assert (nested.key, nested.severity) == (found("[RESOLVED] Load (5m) (web1 warning)", body).key, "warning")
    assert found("[FIRING:1] Load", body).title == "Load"
    assert not found("[FIRING:1, RESOLVED:2] Load", body).recovered


def test_uptime_robot() -> None:
    down = found("Monitor is DOWN: Shop", "Hi,\n\nThe monitor Shop is currently DOWN.", sender="alert@uptimerobot.com")
    up = found("Monitor is UP: Shop", "Hi,\n\nThe monitor Shop is back UP.", sender="alert@uptimerobot.com")
    assert (down.source, down.host, down.severity, down.recovered) == ("uptimerobot", "Shop", "critical", False)
    assert (up.recovered, up.key) == (True, down.key)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        (
            "Re: ** PROBLEM Service Alert: web1/HTTP is CRITICAL **",
            "I restart it.\n\n> ***** Nagios *****\n> Service: HTTP\n",
        ),
        ("AW: [PROBLEM] Load on web1 is WARNING!", nagios("PROBLEM", "WARNING")),
        ("Fwd: [FIRING:1] HighLoad eu (critical)", "What is this?\n\n1 alert for alertname=HighLoad\n"),
        (
            "** PROBLEM Service Alert: web1/HTTP is CRITICAL **",
            "Hi,\n\nwe got this, what now?\n\n" + nagios("PROBLEM", "CRITICAL"),
        ),
        ("** PROBLEM Service Alert: web1/HTTP is CRITICAL **", "> ***** Nagios *****\n> Service: HTTP\n\nFixed.\n"),
        ("[FIRING:1] HighLoad eu", "Dear team, I get these mails since today. Please stop them.\n"),
        ("Monitor is DOWN: Shop", "Hi,\n\nUptimeRobot tells me this. Is it you?\n"),
        ("Problem: my printer is broken", "Hello,\n\nit does not print.\n"),
        ("Problem: Ping lost", "Hello, what does this mean?\n\n" + ZABBIX.format("High", 1)),
        ("OK: let us do it", "Trigger: none\n"[3:]),
        ("PROBLEM - the server is DOWN", "We cannot work.\n"),
        ("[URGENT] Login on our site is DOWN!", "We cannot work.\n"),
        ("Question about ** PROBLEM Service Alert: web1/HTTP is CRITICAL **", nagios("PROBLEM", "CRITICAL")),
    ],
)
def test_persons_are_no_alerts(subject: str, body: str) -> None:
    assert alert(subject, body, sender="anna@customer.example") is None


def test_an_answer_that_kept_the_subject_is_no_alert() -> None:
    subject, body = "[FIRING:1] HighLoad eu", "Silenced until Monday.\n"
    assert alert(subject, body, sender="alerts@customer.example") is not None
    assert alert(subject, body, sender="alerts@customer.example", In_Reply_To="<1@desk.example>") is None


def test_alertmanager_threads_its_own_mails() -> None:
    body = "1 alert for alertname=HighLoad\n"
    assert alert("[FIRING:1] HighLoad eu", body, In_Reply_To="<5d2f@alertmanager>") is not None


def test_long_names_keep_a_bounded_and_distinct_key() -> None:
    sender = "alert@uptimerobot.com"
    one, two = (found(f"Monitor is DOWN: {'x' * 400}{end}", "down", sender=sender) for end in "ab")
    assert len(one.key) <= 200
    assert one.key != two.key


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_mail_is_survived(subject: str, body: str) -> None:
    raw = f"From: nagios@x.example\r\nSubject: {subject}\r\n\r\n{body}"
    assert isinstance(recognise(parse(raw.encode("utf-8", "replace"))), Alert | None)
