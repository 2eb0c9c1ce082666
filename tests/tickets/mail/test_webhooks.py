"""Every ESP that can send mail to us: signed and whole, or not at all."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from anymail import urls as anymail_urls
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from tests.fixtures import esp_calls
from tests.fixtures.esp_calls import Call
from tickets.mail import esp_fetch, ledger
from tickets.mail.esp_requests import File, compose, mail_bytes
from tickets.mail.esps import ESPS
from tickets.mail.parsing import parse
from tickets.models import InboundEmail

pytestmark = pytest.mark.django_db

LATIN = (
    "From: carol@acme.example\r\nSubject: Offen\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "Schöne Grüße, 100 % übel.\r\n..\r\n.\r\n"
).encode("latin-1")
UTF8 = LATIN.decode("latin-1").replace("ISO-8859-1", "UTF-8").encode()


class Api(ThreadingHTTPServer):
    """The API of an ESP, which hands out what the call at hand says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.served: dict[str, bytes] = {}
        self.status = 200
        self.base = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        found = self.server.served.get(self.path)
        self.send_response(404 if found is None else self.server.status)
        self.end_headers()
        self.wfile.write((found or b"").replace(b"{base}", self.server.base.encode()))

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def api_server() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def api(api_server: Api) -> Api:
    api_server.served, api_server.status = {}, 200
    return api_server


@pytest.fixture(autouse=True)
def secrets(settings: Settings, api: Api) -> None:
    urls = {f"{name}_API_URL": api.base for name in ("BREVO", "MAILTRAP", "RESEND")}
    settings.ANYMAIL = {**esp_calls.SECRETS, **urls}


def post(case: str, call: Call, api: Api | None = None, **headers: str) -> Any:
    if api is not None:
        api.served = call.served
    return Client().post(
        f"/hooks/mail/{case.split()[0]}/",
        data=call.body,
        content_type=call.content_type,
        headers={**call.headers, **headers},
    )


def test_every_esp_that_anymail_receives_from_is_here() -> None:
    names = {str(pattern.name) for pattern in anymail_urls.urlpatterns}
    inbound = {name.removesuffix("_inbound_webhook") for name in names if name.endswith("_inbound_webhook")}
    assert set(ESPS) == inbound | {"mandrill"}
    assert {case.split()[0] for case in (*esp_calls.WHOLE, *esp_calls.FIELDS)} == set(ESPS)


@pytest.mark.parametrize("raw", [LATIN, UTF8, LATIN.replace(b"\r\n", b"\n")], ids=["latin-1", "utf-8", "bare newlines"])
@pytest.mark.parametrize("case", esp_calls.WHOLE)
def test_a_signed_mail_is_kept_byte_for_byte(case: str, raw: bytes, api: Api) -> None:
    answer = post(case, esp_calls.WHOLE[case](raw), api)
    assert answer.status_code == 200, answer.content
    row = InboundEmail.objects.get()
    assert bytes(row.raw) == raw
    assert (row.state, row.source) == ("accepted", case.split()[0])
    assert json.loads(answer.content) == {"accepted": [row.pk]}
    if not case.startswith("mailtrap"):
        assert row.rcpt_to == [esp_calls.RECIPIENT]
    if not case.startswith(("mailtrap", "mandrill", "resend")):
        assert row.mail_from == esp_calls.SENDER


@pytest.mark.parametrize("case", esp_calls.WHOLE)
def test_called_twice_it_is_one_row(case: str, api: Api) -> None:
    assert [post(case, esp_calls.WHOLE[case](LATIN), api).status_code for _ in range(2)] == [200, 200]
    assert InboundEmail.objects.count() == 1


@pytest.mark.parametrize("case", esp_calls.FIELDS)
def test_fields_become_a_mail(case: str, api: Api) -> None:
    for _ in range(2):
        answer = post(case, esp_calls.FIELDS[case](), api)
        assert answer.status_code == 200, answer.content
    row = InboundEmail.objects.get()
    mail = parse(bytes(row.raw))
    assert row.state == "accepted", row.error
    assert row.rcpt_to == [esp_calls.RECIPIENT]
    assert (mail.subject, mail.message_id) == ("Grüße", "1@acme.example")
    assert mail.sender is not None and (mail.sender.name, mail.sender.email) == ("Carol Meyer", esp_calls.SENDER)
    assert mail.text.strip() == "Grüße"
    assert "<p>Grüße</p>" in mail.html
    assert [(part.name, part.content) for part in mail.attachments] == [("bild ä.png", esp_calls.PICTURE)]


@pytest.mark.parametrize("case", [*esp_calls.WHOLE, "brevo", "mailjet", "sendinblue"])
def test_unsigned_is_refused(case: str) -> None:
    call = esp_calls.WHOLE[case](LATIN) if case in esp_calls.WHOLE else esp_calls.FIELDS[case]()
    answer = post(case, Call(call.body, call.content_type))
    assert answer.status_code == 403
    assert "error" in json.loads(answer.content)
    assert not InboundEmail.objects.exists()


@pytest.mark.parametrize("case", [*esp_calls.WHOLE, "brevo", "mailjet", "sendinblue"])
def test_a_wrong_signature_is_refused(case: str) -> None:
    call = esp_calls.WHOLE[case](LATIN) if case in esp_calls.WHOLE else esp_calls.FIELDS[case]()
    wrong = {name: value for name, value in call.headers.items() if name.startswith("X-Amz")}
    wrong |= {name: value[:-6] + "AAAA==" for name, value in call.headers.items() if name not in wrong}
    wrong["Authorization"] = "Basic " + base64.b64encode(b"esp:wrong").decode()
    assert post(case, Call(call.body, call.content_type, wrong)).status_code == 403
    assert not InboundEmail.objects.exists()


@pytest.mark.parametrize("case", ["mailersend", "mailtrap", "mandrill", "postal", "resend"])
def test_the_password_alone_is_not_enough_where_calls_are_signed(case: str) -> None:
    call = esp_calls.with_basic_auth(Call(esp_calls.WHOLE[case](LATIN).body, esp_calls.WHOLE[case](LATIN).content_type))
    assert post(case, call).status_code == 403


@pytest.mark.parametrize(
    "secret", [{}, {"WEBHOOK_SECRET": ""}, {"MAILGUN_WEBHOOK_SIGNING_KEY": "", "MAILERSEND_INBOUND_SECRET": ""}]
)
@pytest.mark.parametrize("esp", ESPS)
def test_without_a_secret_nobody_is_believed(esp: str, secret: dict[str, str], settings: Settings) -> None:
    call = (
        next((esp_calls.WHOLE[case](LATIN) for case in esp_calls.WHOLE if case == esp), None) or esp_calls.FIELDS[esp]()
    )
    settings.ANYMAIL = secret
    assert post(esp, call).status_code == 403


def test_an_empty_key_is_no_key(settings: Settings) -> None:
    call = esp_calls.as_json({"type": "inbound.message", "data": {}}, {"Signature": esp_calls._hex("", b"x")})
    settings.ANYMAIL = {"MAILERSEND_INBOUND_SECRET": ""}
    assert post("mailersend", Call(b"x", headers=call.headers)).status_code == 403


def test_an_old_signature_of_resend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000)
    assert post("resend", esp_calls.resend(LATIN)).status_code == 403


@pytest.mark.parametrize("name", ["unknown", "unisender_go", "../admin", "%00", "MAILGUN"])
def test_an_unknown_esp(name: str) -> None:
    answer = Client().post(f"/hooks/mail/{name}/", data=b"x", content_type="text/plain")
    assert answer.status_code == 404
    if "/" not in name:
        assert "error" in json.loads(answer.content)


def test_other_methods() -> None:
    assert Client().head("/hooks/mail/mandrill/").status_code == 200
    assert Client().get("/hooks/mail/mandrill/").status_code == 405


@pytest.mark.parametrize("case", esp_calls.NO_MAIL)
def test_what_is_no_mail_is_answered_and_forgotten(case: str) -> None:
    answer = post(case, esp_calls.NO_MAIL[case]())
    assert (answer.status_code, json.loads(answer.content)) == (200, {"accepted": []})
    assert not InboundEmail.objects.exists()


@pytest.mark.parametrize(
    ("case", "call"),
    [
        (
            "postal",
            lambda: esp_calls.sign_postal(esp_calls.as_json({"message": "%%%", "rcpt_to": "x", "base64": True})),
        ),
        ("postal", lambda: esp_calls.sign_postal(Call(b"{broken"))),
        ("postmark", lambda: esp_calls.with_basic_auth(Call(b"\xff\xfe"))),
        ("sparkpost", lambda: esp_calls.with_basic_auth(esp_calls.as_json({"not": "a list"}))),
        ("sendgrid", lambda: esp_calls.with_basic_auth(esp_calls.multipart({"nothing": b"x"}))),
        ("mailjet", lambda: esp_calls.with_basic_auth(Call(b"[" * 100_000))),
        ("amazon_ses", lambda: esp_calls.sns({"notificationType": "Received", "receipt": {"action": {"type": "S3"}}})),
    ],
)
def test_what_cannot_be_read_is_quarantined_as_it_came(case: str, call: Any) -> None:
    sent = call()
    assert post(case, sent).status_code == 200
    row = InboundEmail.objects.get()
    assert (row.state, bytes(row.raw)) == ("quarantined", sent.body)
    assert row.error.startswith("cannot be read: ")


def test_one_bad_mail_of_a_call_does_not_hold_the_others() -> None:
    events = [
        {"event": "inbound", "msg": {"email": "x"}},
        {"event": "inbound", "msg": {"raw_msg": LATIN.decode("latin-1")}},
    ]
    assert post("mandrill", esp_calls.sign_mandrill(events)).status_code == 200
    assert list(InboundEmail.objects.order_by("pk").values_list("state", flat=True)) == ["quarantined", "accepted"]


@pytest.mark.parametrize("status", [401, 429, 500])
@pytest.mark.parametrize("case", ["mailtrap", "resend", "brevo"])
def test_an_api_in_trouble_means_later(case: str, status: int, api: Api) -> None:
    api.status = status
    call = esp_calls.WHOLE[case](LATIN) if case in esp_calls.WHOLE else esp_calls.FIELDS[case]()
    assert post(case, call, api).status_code == 503
    assert not InboundEmail.objects.exists()


def test_what_the_esp_no_longer_has_is_quarantined(api: Api) -> None:
    call = esp_calls.mailtrap(LATIN)
    assert post("mailtrap", Call(call.body, headers=call.headers), api).status_code == 200
    assert InboundEmail.objects.get().state == "quarantined"


def test_without_a_database_the_esp_calls_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object, **__: object) -> None:
        raise OperationalError("the database is down")

    monkeypatch.setattr(ledger, "store", down)
    answer = post("postal", esp_calls.postal(LATIN))
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")


def test_sns_is_asked_for_its_password() -> None:
    call = esp_calls.ses(LATIN, is_base64=True)
    headers = {name: value for name, value in call.headers.items() if name != "Authorization"}
    answer = post("amazon_ses", Call(call.body, headers=headers))
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Basic realm="mail"')


@pytest.mark.parametrize(
    ("url", "is_called"),
    [
        ("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription", True),
        ("http://sns.eu-central-1.amazonaws.com/", False),
        ("https://sns.eu-central-1.amazonaws.com.evil.example/", False),
        ("https://evil.example/sns.eu-central-1.amazonaws.com", False),
        ("https://user@sns.eu-central-1.amazonaws.com/", False),
        ("https://[", False),
    ],
)
def test_an_sns_subscription_is_confirmed_at_amazon_only(
    url: str, is_called: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(esp_fetch, "get", called.append)
    assert post("amazon_ses", esp_calls.sns("confirm", "SubscriptionConfirmation", SubscribeURL=url)).status_code == 200
    assert called == ([url] if is_called else [])


def test_many_files_and_odd_names_are_all_kept() -> None:
    files = {f"attachment-{n}": (f"../{n}.txt", "text/plain", b"%d" % n) for n in range(1, 41)}
    fields = esp_calls.mailgun_fields() | {"message-headers": b'[["Subject", "many"]]', "body-plain": b"x"}
    assert post("mailgun", esp_calls.with_basic_auth(esp_calls.multipart(fields, files))).status_code == 200
    mail = parse(bytes(InboundEmail.objects.get().raw))
    assert [part.content for part in mail.attachments] == [b"%d" % n for n in range(1, 41)]


def test_fields_cannot_break_out_of_their_place() -> None:
    raw = compose(
        [("Subject", "a\r\nBcc: evil@evil.example\r\n\r\nbody"), ("Bad Name:", "x"), ("Content-Type", "text/html")],
        "text",
        "",
        [File('x"\r\nContent-Type: text/html', "text/html\r\nX: y", b"z", "a>\r\nb")],
    )
    mail = parse(raw)
    assert mail.subject.startswith("a Bcc: evil@evil.example")
    assert "bcc" not in mail.headers
    assert mail.text.strip() == "text"
    assert b"\r\nX: y" not in raw


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("plain", b"plain"),
        ("ü", "ü".encode()),
        ("charset=iso-8859-1 ü", "charset=iso-8859-1 ü".encode("latin-1")),
        ("charset=iso-8859-1 €", "charset=iso-8859-1 €".encode()),
        ("charset=koi8-r я charset=utf-8", "charset=koi8-r я charset=utf-8".encode()),
        ("charset=nonsense ü", "charset=nonsense ü".encode()),
        ("\udcfc", b"\xfc"),
        ("\ud800", b"?"),
    ],
)
def test_text_becomes_the_senders_bytes(text: str, raw: bytes) -> None:
    assert mail_bytes(text) == raw
