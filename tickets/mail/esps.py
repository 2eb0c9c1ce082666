"""How each ESP hands over a mail: the bytes of the mail and its envelope out of one call.

`items` cuts a call into mails and leaves out what is none (deliveries, opens, pings); `letter` reads one of them.
Sources: the ESPs' inbound documentation, by way of django-anymail 15.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from anymail.webhooks.amazon_ses import AmazonSESInboundWebhookView

from tickets.mail.esp_fetch import api_url, get, get_json, setting
from tickets.mail.esp_requests import File, Request, compose, mail_bytes

_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_CHARSETS: Final = re.compile(r"[\w.:-]{1,40}")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail and its envelope."""

    raw: bytes
    mail_from: str
    rcpt_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Esp:
    items: Callable[[Request], list[Any]]
    letter: Callable[[Any], Letter]


def _one(*needed: str) -> Callable[[Request], list[Any]]:
    """The call is one mail if it has all these fields."""

    def items(request: Request) -> list[Any]:
        found = request.json()
        return [found] if isinstance(found, dict) and all(name in found for name in needed) else []

    return items


def _form(request: Request) -> list[Any]:
    # The same URL may get JSON about deliveries.
    return [] if request.is_json else [request.form()]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _pairs(headers: object) -> list[tuple[str, str]]:
    """Headers as {name: value or values}, or as [{name, value}]; in either spelling."""
    if isinstance(headers, dict):
        return [
            (name, str(one))
            for name, value in headers.items()
            for one in (value if isinstance(value, list) else [value])
        ]
    named = [(one.get("name", one.get("Name")), one.get("value", one.get("Value"))) for one in _list(headers)]
    return [(str(name), str(value)) for name, value in named]


def _address(value: object) -> str:
    return value.strip().strip("<>") if isinstance(value, str) else ""


def _addresses(values: object) -> tuple[str, ...]:
    given = values if isinstance(values, list) else str(values or "").split(",")
    return tuple(address for value in given if (address := _address(value)))


def _decoded(content: str, is_base64: object) -> bytes:
    # Strictly: what is not base64 would decode to something shorter, and nobody would know.
    return base64.b64decode("".join(content.split()), validate=True) if is_base64 else mail_bytes(content)


# Amazon SES, through SNS.


def _ses_items(request: Request) -> list[Any]:
    notice = request.json()
    if notice.get("Type") != "Notification" or not notice.get("Message", "").lstrip().startswith("{"):
        return []
    event = json.loads(notice["Message"])
    return [event] if event.get("notificationType") == "Received" else []


def _ses_letter(event: Any) -> Letter:
    receipt = event.get("receipt", {})
    action = receipt.get("action", {})
    if action.get("type") == "S3":
        raw = b"".join(AmazonSESInboundWebhookView().fetch_s3_chunks(action["bucketName"], action["objectKey"]))
    else:
        raw = _decoded(event["content"], action.get("encoding") == "BASE64")
    return Letter(raw, _address(event.get("mail", {}).get("source")), _addresses(_list(receipt.get("recipients"))))


# ESPs that send the mail as it was.


def _mailersend_letter(event: Any) -> Letter:
    data = event["data"]
    recipients = [one.get("email") for one in _list(data.get("recipients", {}).get("rcptTo"))]
    return Letter(mail_bytes(data["raw"]), _address(data.get("sender", {}).get("email")), _addresses(recipients))


def _mandrill_items(request: Request) -> list[Any]:
    events = json.loads(request.form()["mandrill_events"].content)
    return [event["msg"] for event in events if event.get("event") == "inbound"]


def _mandrill_letter(message: Any) -> Letter:
    return Letter(mail_bytes(message["raw_msg"]), "", _addresses(message.get("email")))


def _postal_letter(event: Any) -> Letter:
    raw = _decoded(event["message"], event.get("base64") is True)
    return Letter(raw, _address(event.get("mail_from")), _addresses(event.get("rcpt_to")))


def _sparkpost_items(request: Request) -> list[Any]:
    events = [event.get("msys", {}) for event in request.json()]
    return [event["relay_message"] for event in events if "relay_message" in event]


def _sparkpost_letter(event: Any) -> Letter:
    content = event["content"]
    raw = _decoded(content["email_rfc822"], content.get("email_rfc822_is_base64"))
    return Letter(raw, _address(event.get("msg_from")), _addresses(event.get("rcpt_to")))


def _mailgun_letter(form: dict[str, File]) -> Letter:
    sender, recipient = _text(form, "sender"), _text(form, "recipient")
    if "body-mime" in form:
        return Letter(form["body-mime"].content, _address(sender), _addresses(recipient))
    ids = {field: cid for cid, field in json.loads(_text(form, "content-id-map") or "{}").items()}
    raw = compose(
        json.loads(_text(form, "message-headers")),
        _text(form, "body-plain"),
        _text(form, "body-html"),
        _files(form, "attachment-", lambda name: ids.get(name, "")),
    )
    return Letter(raw, _address(sender), _addresses(recipient))


def _sendgrid_letter(form: dict[str, File]) -> Letter:
    envelope = json.loads(_text(form, "envelope") or "{}")
    sender, recipients = _address(envelope.get("from")), _addresses(_list(envelope.get("to")))
    if "email" in form:
        return Letter(form["email"].content, sender, recipients)
    charsets = json.loads(_text(form, "charsets") or "{}")
    info = json.loads(_text(form, "attachment-info") or "{}")
    raw = compose(
        _header_lines(form["headers"].content.decode("utf-8", "replace")),
        _text(form, "text", charsets.get("text")),
        _text(form, "html", charsets.get("html")),
        _files(form, "attachment", lambda name: info.get(name, {}).get("content-id", "")),
    )
    return Letter(raw, sender, recipients)


def _text(form: dict[str, File], name: str, charset: object = None) -> str:
    content = form[name].content if name in form else b""
    if isinstance(charset, str) and _CHARSETS.fullmatch(charset):
        try:
            return content.decode(charset, "replace")
        except LookupError:
            pass
    return content.decode("utf-8", "replace")


def _header_lines(headers: str) -> list[tuple[str, str]]:
    lines = [line.partition(":") for line in _FOLD.sub(" ", headers).splitlines()]
    return [(name, value.strip()) for name, colon, value in lines if colon]


def _files(form: dict[str, File], prefix: str, content_id: Callable[[str], str]) -> list[File]:
    named = sorted(
        (name for name in form if name.removeprefix(prefix).isdigit()), key=lambda name: int(name[len(prefix) :])
    )
    return [File(form[n].name, form[n].content_type, form[n].content, content_id(n) or "") for n in named]


# ESPs that send fields.


def _postmark_items(request: Request) -> list[Any]:
    event = request.json()
    return [event] if event.get("RecordType", "Inbound") == "Inbound" else []


def _postmark_letter(event: Any) -> Letter:
    headers = _pairs(event.get("Headers"))
    # Postmark puts the envelope's sender first; a Return-Path anywhere else is the sender's own invention.
    sender = _address(headers[0][1]) if headers and headers[0][0].lower() == "return-path" else ""
    recipients = _addresses(event.get("OriginalRecipient"))
    if event.get("RawEmail"):
        return Letter(mail_bytes(event["RawEmail"]), sender, recipients)
    fields = [
        ("From", "From"),
        ("To", "To"),
        ("Cc", "Cc"),
        ("Subject", "Subject"),
        ("Date", "Date"),
        ("Reply-To", "ReplyTo"),
    ]
    headers = headers[1:] if sender else headers
    present = {name.lower() for name, _ in headers}
    headers += [(n, str(event[field])) for n, field in fields if event.get(field) and n.lower() not in present]
    files = [
        File(
            str(one.get("Name") or ""),
            str(one.get("ContentType") or ""),
            base64.b64decode(one.get("Content") or one.get("Data") or ""),
            str(one.get("ContentID") or ""),
        )
        for one in _list(event.get("Attachments"))
    ]
    return Letter(compose(headers, event.get("TextBody") or "", event.get("HtmlBody") or "", files), sender, recipients)


def _mailjet_letter(event: Any) -> Letter:
    files = []
    for part in _list(event.get("Parts")):
        reference = part.get("ContentRef", "")
        if "Attachment" in reference and reference in event:
            headers = {name.lower(): value for name, value in _pairs(part.get("Headers"))}
            name = _file_name(headers)
            kind = headers.get("content-type", "")
            files.append(File(name, kind, base64.b64decode(event[reference]), headers.get("content-id", "")))
    raw = compose(_pairs(event.get("Headers")), event.get("Text-part") or "", event.get("Html-part") or "", files)
    return Letter(raw, _address(event.get("Sender")), _addresses(event.get("Recipient")))


def _file_name(headers: dict[str, str]) -> str:
    for header in ("content-disposition", "content-type"):
        if found := re.search(r'name="?([^";\r\n]{1,255})', headers.get(header, ""), re.IGNORECASE):
            return found[1]
    return ""


def _brevo_items(request: Request) -> list[Any]:
    return _list(request.json().get("items"))


def _brevo_letter(event: Any) -> Letter:
    headers = _pairs(event.get("Headers"))
    values = {name.lower(): value for name, value in reversed(headers)}
    raw = compose(
        headers,
        event.get("RawTextBody") or "",
        event.get("RawHtmlBody") or "",
        [_brevo_file(one) for one in _list(event.get("Attachments"))],
    )
    return Letter(raw, _address(values.get("return-path")), _addresses(values.get("delivered-to")))


def _brevo_file(one: Any) -> File:
    url = api_url("Brevo", "https://api.brevo.com/v3/", f"inbound/attachments/{quote(one['DownloadToken'], safe='')}")
    content = get(url, {"api-key": setting("Brevo", "api_key")}).content
    return File(str(one.get("Name") or ""), str(one.get("ContentType") or ""), content, str(one.get("ContentID") or ""))


# ESPs that only say where the mail is.


def _mailtrap_items(request: Request) -> list[Any]:
    events = _list(request.json().get("events"))
    # Inbox 1 is in the example that "Test your integration" sends.
    return [
        event
        for event in events
        if str(event.get("event", "")).startswith("inbound") and event.get("inbox_id") not in (None, 1)
    ]


def _mailtrap_letter(event: Any) -> Letter:
    path = (
        f"inbound/inboxes/{quote(str(event['inbox_id']), safe='')}/messages/{quote(str(event['message_id']), safe='')}"
    )
    url = api_url("Mailtrap", "https://mailtrap.io/api/", path)
    described = get_json(url, {"Authorization": f"Bearer {setting('Mailtrap', 'api_token')}"})
    return Letter(get(described["raw_message_url"]).content, "", ())


def _resend_items(request: Request) -> list[Any]:
    event = request.json()
    return [event["data"]] if event.get("type") == "email.received" else []


def _resend_letter(data: Any) -> Letter:
    url = api_url("Resend", "https://api.resend.com/", f"emails/receiving/{quote(str(data['email_id']), safe='')}")
    described = get_json(url, {"Authorization": f"Bearer {setting('Resend', 'api_key')}"})
    recipients = _addresses(_list(described.get("to") or data.get("to")))
    if raw_url := (described.get("raw") or {}).get("download_url"):
        return Letter(get(raw_url).content, "", recipients)
    headers = _pairs(described.get("headers"))
    present = {name.lower() for name, _ in headers}
    for name, field in (
        ("From", "from"),
        ("To", "to"),
        ("Cc", "cc"),
        ("Subject", "subject"),
        ("Message-ID", "message_id"),
    ):
        if described.get(field) and name.lower() not in present:
            headers.append((name, ", ".join(_strings(described[field]))))
    files = [
        File(
            str(one.get("filename") or ""),
            str(one.get("content_type") or ""),
            get(one["download_url"]).content,
            str(one.get("content_id") or ""),
        )
        for one in _list(described.get("attachments"))
    ]
    return Letter(compose(headers, described.get("text") or "", described.get("html") or "", files), "", recipients)


def _strings(value: object) -> Iterable[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _mailersend_items(request: Request) -> list[Any]:
    event = request.json()
    return [event] if event.get("type") == "inbound.message" else []


_BREVO = Esp(_brevo_items, _brevo_letter)

ESPS: Final[dict[str, Esp]] = {
    "amazon_ses": Esp(_ses_items, _ses_letter),
    "brevo": _BREVO,
    "mailersend": Esp(_mailersend_items, _mailersend_letter),
    "mailgun": Esp(_form, _mailgun_letter),
    "mailjet": Esp(_one("Headers"), _mailjet_letter),
    "mailtrap": Esp(_mailtrap_items, _mailtrap_letter),
    "mandrill": Esp(_mandrill_items, _mandrill_letter),
    "postal": Esp(_one("message", "rcpt_to"), _postal_letter),
    "postmark": Esp(_postmark_items, _postmark_letter),
    "resend": Esp(_resend_items, _resend_letter),
    "sendgrid": Esp(_form, _sendgrid_letter),
    "sendinblue": _BREVO,
    "sparkpost": Esp(_sparkpost_items, _sparkpost_letter),
}
