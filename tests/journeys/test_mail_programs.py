"""Answers as the customers' mail programs write them: each joins its thread, and only its new words are shown."""

import html
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.models import Conversation, Message
from tests.fixtures.company import Company
from tests.fixtures.engine import Engine
from tests.fixtures.mailing import raw_mail

pytestmark = pytest.mark.django_db

NINE = datetime.fromisoformat("2026-01-12T09:00+01:00")
HOUR = timedelta(hours=1)
NEW = "Thanks, that did it."
ASKED = "Could you clear the cache, please?"


@dataclass(frozen=True)
class Written:
    """What a program makes of an answer. `parents` are the headers that name our mail, `subject` its prefix."""

    html: str
    text: str = ""
    subject: str = "Re: "
    parents: tuple[str, ...] = ("In-Reply-To", "References")
    more: tuple[tuple[str, str], ...] = ()


THREAD_INDEX = ("Thread-Index", "AdzQ3x6h4k2Zk0WcQ4Gx8vJmYwAAAAAAEAAAAA==")
QUOTED = "".join(f"> {line}\n" for line in ["Hello Carol,", "", ASKED, "", "Grace"])
PROGRAMS = {
    "Gmail": Written(
        f'<div dir="ltr">{NEW}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        'class="gmail_attr">On Mon, 12 Jan 2026 at 10:00, Grace Hopper &lt;<a href="mailto:support@demo.example">'
        'support@demo.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">'
        f"Hello Carol,<br><br>{ASKED}</blockquote></div>",
        f"{NEW}\n\nOn Mon, 12 Jan 2026 at 10:00, Grace Hopper <support@demo.example>\nwrote:\n\n{QUOTED}",
    ),
    "Outlook for Windows, in German, HTML only": Written(
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal{margin:0cm}</style></head>'
        f'<body><div class="WordSection1"><p class="MsoNormal">{NEW}<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;'
        '</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class='
        '"MsoNormal">'
        "<b>Von:</b> Grace Hopper &lt;support@demo.example&gt; <br><b>Gesendet:</b> Montag, 12. Januar 2026 10:00<br>"
        "<b>An:</b> Carol Meyer &lt;carol@acme.example&gt;<br><b>Betreff:</b> Re: The site is slow<o:p></o:p></p></div>"
        f'</div><p class="MsoNormal">Hello Carol,<o:p></o:p></p><p class="MsoNormal">{ASKED}</p></div></body></html>',
        subject="AW: ",
        parents=("In-Reply-To",),
        more=(THREAD_INDEX,),
    ),
    "Outlook behind a server that drops parents": Written(
        f'<div>{NEW}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%">'
        '<div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Grace Hopper &lt;support@demo.example&gt;<br><b>Sent:</b> '
        "Monday, January 12, 2026 10:00 AM<br><b>To:</b> Carol Meyer &lt;carol@acme.example&gt;<br><b>Subject:</b> "
        f"Re: The site is slow</div><div>Hello Carol,<br>{ASKED}</div>",
        subject="RE: ",
        parents=(),
        more=(THREAD_INDEX,),
    ),
    "Apple Mail": Written(
        '<html><body style="overflow-wrap: break-word;">' + NEW + "<br><div><br><blockquote type="
        '"cite"><div>On 12. Jan 2026, at 10:00, Grace Hopper &lt;support@demo.example&gt; wrote:</div><br '
        f'class="Apple-interchange-newline"><div>Hello Carol,<br><br>{ASKED}</div></blockquote></div></body></html>',
        f"{NEW}\n\n> On 12. Jan 2026, at 10:00, Grace Hopper <support@demo.example> wrote:\n> \n{QUOTED}",
    ),
    "iPhone": Written(
        f'<html><body dir="auto">{NEW}<div><br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Sent from my iPhone'
        '</div><div dir="ltr"><br><blockquote type="cite">On 12 Jan 2026, at 10:00, Grace Hopper &lt;'
        f'support@demo.example&gt; wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">{ASKED}'
        "</div></blockquote></div></body></html>",
        f"{NEW}\n\nSent from my iPhone\n\n> On 12 Jan 2026, at 10:00, Grace Hopper <support@demo.example> wrote:\n> \n"
        f"> {ASKED}\n",
    ),
    "Thunderbird": Written(
        f'<html><body><p>{NEW}<br></p><div class="moz-cite-prefix">Am 12.01.26 um 10:00 schrieb Grace Hopper:<br></div>'
        f'<blockquote type="cite" cite="mid:x@demo.example"><p>{ASKED}</p></blockquote></body></html>',
        f"{NEW}\n\nAm 12.01.26 um 10:00 schrieb Grace Hopper:\n{QUOTED}",
    ),
}


def answer(program: Written, ours: EmailMessage, to: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Carol Meyer <carol@acme.example>", to
    mail["Subject"] = program.subject + str(ours["Subject"]).removeprefix("Re: ")
    mail["Message-ID"] = f"<{abs(hash((program.html, to)))}@acme.example>"
    for name in program.parents:
        mail[name] = str(ours["Message-ID"])
    for name, value in program.more:
        mail[name] = value
    if program.text:
        mail.set_content(program.text)
        mail.add_alternative(program.html, subtype="html")
    else:
        mail.set_content(program.html, subtype="html")
    return mail.as_bytes()


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("where", ["to the signed address", "to the address in the address book"])
def test_an_answer_joins_and_only_its_words_are_shown(
    engine: Engine, company: Company, program: Written, where: str
) -> None:
    first = engine.receive(raw_mail(message_id="<1@acme.example>"), at=NINE)
    conversations.reply(first.conversation_id or 0, company.grace, f"Hello Carol,\n\n{ASKED}\n\nGrace", at=NINE + HOUR)
    engine.until(NINE + HOUR)
    ours = engine.mails("carol@acme.example")[-1]
    to = str(ours["Reply-To"]) if where == "to the signed address" else "support@demo.example"
    mail = engine.receive(answer(program, ours, to), at=NINE + 2 * HOUR, to=to)
    message = Message.objects.get(pk=mail.message_id)
    assert message.conversation_id == first.conversation_id
    assert message.text.strip() == NEW
    assert ASKED in message.full_text
    assert html.escape(ASKED, quote=False) in message.html
    assert (message.is_verified, message.remark) == (True, "")
    assert Conversation.objects.count() == 1
