"""What Twilio tells us: only with its signature, each word once, in any order; callers are answered in any case."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from helpdesk.conversations.models import Conversation, Message
from helpdesk.customers.models import Customer, Identity
from helpdesk.events import hooks, outbox
from helpdesk.events.models import Hook
from helpdesk.oncall.models import Page
from helpdesk.sla.models import Calendar
from phone import reconciling, told
from phone.models import Call, Recording
from tests.fixtures.company import Company
from tests.fixtures.phone import line, tell
from tests.fixtures.providers.twilio import MP3, TwilioServer
from tests.fixtures.providers.twilio import Hook as Told

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def work(at: datetime) -> None:
    while outbox.drain(at):
        pass


class TestTheDoor:
    def test_only_twilio_comes_in(self, twilio: TwilioServer, settings: Settings, at: datetime) -> None:
        """Each hook, each way of being wrong."""
        sent = [
            twilio.ring(),
            twilio.hang_up(),
            twilio.text("Hello"),
            twilio.hook("/hooks/twilio/recording/", {"A": "1"}),
        ]
        for hook in sent:
            signature = hook.headers["X-Twilio-Signature"]
            for wrong in (
                Told(hook.path, {**hook.headers, "X-Twilio-Signature": signature[:-2] + "x="}, hook.raw),
                Told(hook.path, {**hook.headers, "X-Twilio-Signature": ""}, hook.raw),
                Told(hook.path, hook.headers, hook.raw + b"&More=1"),
                Told(hook.path + "?more=1", hook.headers, hook.raw),
                Told("/hooks/twilio/status/?x", hook.headers, hook.raw),
                Told(hook.path, {**hook.headers, "Content-Type": "application/json"}, hook.raw),
            ):
                assert tell(wrong, at).status_code == 403
            assert Client().get(hook.path).status_code == 405
        large = Told("/hooks/twilio/sms/", sent[0].headers, b"x" * (told.LARGEST + 1))
        assert tell(large, at).status_code == 413
        many = "&".join(f"a{n}=1" for n in range(told.MOST_FIELDS + 1)).encode()
        assert tell(Told("/hooks/twilio/sms/", sent[0].headers, many), at).status_code == 403
        settings.TWILIO_AUTH_TOKEN = ""
        assert tell(sent[0], at).status_code == 403, "without a token nobody is believed"
        assert not Hook.objects.exists()

    def test_what_cannot_be_read_is_quarantined(self, twilio: TwilioServer, at: datetime) -> None:
        """A signed body of JSON, and forms without what they must have, are kept and answered with success."""
        raw = json.dumps({"events": []}).encode()
        path = f"/hooks/twilio/status/?bodySHA256={hashlib.sha256(raw).hexdigest()}"
        signed = twilio.hook(path, {})
        digest = hmac.new(twilio.token.encode(), (twilio.public_url + path).encode(), hashlib.sha1).digest()
        headers = {"Content-Type": "application/json", "X-Twilio-Signature": base64.b64encode(digest).decode()}
        assert tell(Told(signed.path, headers, raw), at).status_code == 200
        for hook in (twilio.hook("/hooks/twilio/voice/", {"From": "+491"}), twilio.hook("/hooks/twilio/sms/", {})):
            assert tell(hook, at).status_code == 200
        assert [hook.state for hook in Hook.objects.all()] == ["quarantined"] * 3
        assert not Conversation.objects.exists()

    def test_the_same_again_changes_nothing(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        """Hundreds of posts of a few calls, shuffled and repeated: each event is one row and happens once."""
        line(at)
        greeting = tell(twilio.ring("CA7"), at).content
        told_of = [*twilio.leave(greeting, "CA7", "RE7"), twilio.hang_up("CA7"), twilio.ring("CA7")]
        told_of += [twilio.text(f"Text {n}", sid=f"SM{n:04}") for n in range(20)]
        for round_ in range(10):
            for hook in told_of if round_ % 2 else reversed(told_of):
                assert tell(hook, at).status_code == 200
            work(at)
        assert Hook.objects.count() == len(told_of) and not Hook.objects.exclude(state="done").exists()
        conversation = Conversation.objects.get()
        texts = list(conversation.messages.filter(via="sms").order_by("pk").values_list("text", flat=True))
        assert texts == [f"Text {n}" for n in reversed(range(20))], "as they came in first"
        assert conversation.messages.filter(via="phone").count() == 2, "the call, and its message"
        assert Page.objects.count() == 1 and Recording.objects.count() == Call.objects.count() == 1


class TestCalls:
    def test_the_greeting_is_by_hours_and_language(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        calendar = Calendar.objects.get(is_office=True)
        own = {"de": {"open": "Guten <Tag> & hallo", "closed": "https://example.org/night.mp3"}}
        line(at, calendar=calendar, greetings=own, language="fr")
        by_day = tell(twilio.ring("CA1"), at).content.decode()
        assert "Guten &lt;Tag&gt; &amp; hallo" in by_day and 'language="de-DE"' in by_day
        by_night = tell(twilio.ring("CA2"), at.replace(hour=2)).content.decode()
        assert "<Play>https://example.org/night.mp3</Play>" in by_night
        Identity.objects.create(customer=company.carol, channel="phone", handle="+4915123456789")
        Customer.objects.filter(pk=company.carol.pk).update(language="es")
        assert "línea de emergencias" in tell(twilio.ring("CA3"), at).content.decode()
        assert 'language="fr-FR"' in tell(twilio.ring("CA4", caller="+81312345678"), at).content.decode()
        assert 'language="en-GB"' in tell(twilio.ring("CA5", to="+4940000000", caller=""), at).content.decode()

    def test_a_hang_up_opens_and_pages_and_is_said_once(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        """Nothing is recorded, and nobody ever tells so: Twilio is asked, and the team is told once."""
        line(at)
        tell(twilio.ring(caller="anonymous"), at)
        tell(twilio.hang_up(), at)
        work(at)
        conversation = Conversation.objects.get()
        assert str(conversation.customer) == "Number withheld" and conversation.priority == "urgent"
        assert Page.objects.get(conversation=conversation).urgency == "high"
        for minute in (1, 2, 3):
            reconciling.reconcile(at=at + minute * MINUTE)
        (note,) = conversation.messages.filter(kind="note")
        assert note.text == "The caller hung up after 12 s without leaving a message."
        # A second withheld call is somebody else's, for all we know.
        tell(twilio.ring("CA2", caller="anonymous"), at)
        work(at)
        assert Conversation.objects.count() == Customer.objects.filter(name="Number withheld").count() == 2

    def test_recordings_come_late_first_twice_or_are_never_told(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        line(at)
        greeting = tell(twilio.ring("CA9", caller="+33123456789"), at).content
        asked, callback = twilio.leave(greeting, "CA1", "RE1")
        # The recording of CA1 is told before the call itself, its words before the recording.
        spoken = {"CallSid": "CA1", "RecordingSid": "RE1", "TranscriptionSid": "TR1"}
        words = {**spoken, "TranscriptionStatus": "completed", "TranscriptionText": "All is down"}
        tell(callback, at)
        work(at)
        first = Conversation.objects.get()
        assert str(first.customer) == "+33123456789", "who called comes along with the recording"
        tell(twilio.hook(callback.path, words), at)
        tell(twilio.ring("CA1", caller="+33123456789"), at)
        tell(asked, at)
        work(at)
        kept = Recording.objects.get(sid="RE1")
        assert kept.transcript == "All is down" and kept.message is not None
        assert first.messages.filter(kind="note", text__contains="All is down").count() == 1
        # One that is never told is found when the call is long over.
        twilio.leave(greeting, "CA9", "RE9", seconds=70)
        for minute in (16, 17):
            reconciling.reconcile(at=at + minute * MINUTE)
            work(at + minute * MINUTE)
        late = Recording.objects.get(sid="RE9")
        assert late.message is not None and "Voicemail, 1 min 10 s" in late.message.text
        assert Message.objects.filter(attachments__isnull=False).count() == 2

    def test_a_recording_that_cannot_be_fetched_is_said(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        """It is not there yet, then it is; one that leads into our own network is refused, and said where it is."""
        line(at)
        greeting = tell(twilio.ring(), at).content
        hooks_ = twilio.leave(greeting, "CA1", "RE1")
        content = twilio.files.pop("RE1")
        tell(hooks_[1], at)
        work(at)
        assert Recording.objects.get(sid="RE1").state == "waiting"
        tell(twilio.leave(greeting, "CA1", "RE3")[1], at)
        work(at)
        assert Recording.objects.get(sid="RE3").state == "kept", "it does not wait for the first"
        twilio.files["RE1"] = content
        work(at + MINUTE)
        assert Recording.objects.get(sid="RE1").state == "kept"
        twilio.redirects["RE2"] = f"{twilio.url}/2010-04-01/secret"
        tell(twilio.leave(greeting, "CA1", "RE2")[1], at + MINUTE)
        work(at + MINUTE)
        assert Recording.objects.get(sid="RE2").state == "failed"
        assert not any(request.path.endswith("/secret") for request in twilio.received)
        note = Message.objects.get(kind="note", text__contains="RE2")
        assert "could not be fetched" in note.text and "https" in note.text

    def test_calling_again_goes_on_where_it_is_open(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        line(at)
        for number in range(3):
            tell(twilio.ring(f"CA{number}"), at + number * MINUTE)
            work(at + number * MINUTE)
        conversation = Conversation.objects.get()
        assert conversation.messages.count() == 3 and len(Page.objects.get().reasons) == 3
        Conversation.objects.update(status="resolved", resolved_at=at)
        tell(twilio.ring("CA8"), at + 9 * MINUTE)
        work(at + 9 * MINUTE)
        assert Conversation.objects.count() == 2

    def test_missed_calls_and_texts_are_found_in_twilios_lists(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        """Our web server was away when somebody called and wrote."""
        number = line(at).number
        moment = f"{at:%a, %d %b %Y %H:%M:%S +0000}"
        who = {"to": number, "from": "+4915100000001", "direction": "inbound", "status": "completed"}
        twilio.inbound += [
            {**who, "sid": "CA55", "start_time": moment, "duration": "9"},
            {**who, "sid": "SM55", "date_created": moment, "body": "Are you there?", "num_media": "0"},
            {**who, "sid": "CA56", "start_time": "nonsense", "duration": None, "from": None},
            {"sid": 7, "to": number},
        ]
        for minute in (1, 2, 3):
            reconciling.reconcile(at=at + minute * MINUTE)
            work(at + minute * MINUTE)
        conversation = Conversation.objects.get(customer__identities__handle="+4915100000001")
        assert list(conversation.messages.exclude(kind="note").values_list("via", flat=True)) == ["phone", "sms"]
        assert Page.objects.filter(conversation=conversation).count() == 1


@given(
    st.sampled_from([told.VOICE, told.RECORDING, told.STATUS, told.SMS]),
    st.text(max_size=60),
    st.none()
    | st.lists(
        st.tuples(
            st.sampled_from(
                ["CallSid", "MessageSid", "From", "To", "Digits", "RecordingSid", "CallStatus", "MessageStatus", "Body",
                 "RecordingDuration", "NumMedia", "ErrorCode", "TranscriptionSid", "DialCallStatus", "DialCallDuration"]
            ),
            st.text(max_size=40) | st.sampled_from(["CA1", "+4915123456789", "9" * 30, "completed", "1", "²"]),
        ),
        max_size=12,
    ),
)  # fmt: skip
def test_reading_never_raises_anything_else(kind: str, query: str, form: list[tuple[str, str]] | None) -> None:
    for asked in (query, f"page={query}", f"callback=1&to={query}", "after=record", "message=99999999999999999999"):
        try:
            told.read(kind, asked, form)
        except told.Unreadable:
            continue


def test_replaying_a_quarantined_call(company: Company, twilio: TwilioServer, at: datetime) -> None:
    """A key from a number that was no agent's is kept for a person to look at."""
    pressed = twilio.hook("/hooks/twilio/voice/?page=1", {"CallSid": "CA1", "To": "+4915123456789", "Digits": "1"})
    tell(pressed, at)
    work(at)
    hook = Hook.objects.get()
    assert hook.state == "quarantined" and "no agent's" in hook.error
    hooks.replay(hook.pk, at=at)
    work(at)
    assert Hook.objects.get().state == "quarantined"


class TestBadInput:
    def test_words_and_ends_that_come_before_their_call(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        """The transcript and the end of a call whose beginning was never told: it is opened and paged all the same."""
        ends = {"From": "+4915123456789", "To": "+4930123456", "Direction": "inbound"}
        words = {"TranscriptionSid": "TR1", "TranscriptionStatus": "completed", "TranscriptionText": "All is down"}
        twilio.files["RE1"] = MP3
        tell(twilio.hook("/hooks/twilio/recording/", {"CallSid": "CA7", "RecordingSid": "RE1", **words, **ends}), at)
        ended = {"CallSid": "CA8", "CallStatus": "no-answer", "CallDuration": "0", **ends, "From": "+491701112233"}
        tell(twilio.hook("/hooks/twilio/status/", ended), at)
        work(at)
        first, second = Call.objects.order_by("sid")
        assert (first.sid, second.sid, second.state) == ("CA7", "CA8", "failed")
        assert Page.objects.filter(state="triggered").count() == 2
        kept = Recording.objects.select_related("message").get(sid="RE1")
        assert kept.message is not None and kept.message.text == "Voicemail\n\nAll is down"
        tell(twilio.ring("CA7"), at + MINUTE)
        work(at + MINUTE)
        assert Call.objects.count() == 2 and Page.objects.count() == 2

    def test_states_of_calls_that_are_nobodys_open_nothing(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        for query in ("", "?page=1", "?callback=1", "?page=999999999", "?callback=9223372036854775808", "?page=x"):
            form = {"CallSid": "CA404", "CallStatus": "completed", "Direction": "outbound-api"}
            assert tell(twilio.hook(f"/hooks/twilio/status/{query}", form), at).status_code == 200
            message = {"MessageSid": "SM404", "MessageStatus": "undelivered", "ErrorCode": "30003"}
            assert tell(twilio.hook(f"/hooks/twilio/status/{query}", message), at).status_code == 200
        assert tell(twilio.hook("/hooks/twilio/status/?message=1", message), at).status_code == 200
        work(at)
        assert not Call.objects.exists() and not Conversation.objects.exists() and not Page.objects.exists()
        assert not Hook.objects.filter(state="accepted").exists()

    def test_a_recording_of_no_length_is_a_hang_up(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        greeting = tell(twilio.ring(), at)
        for hook in (*twilio.leave(greeting.content, seconds=0), twilio.hang_up()):
            assert tell(hook, at).status_code == 200
        work(at)
        reconciling.reconcile(at=at + 3 * MINUTE)
        assert not Recording.objects.exists()
        assert Message.objects.get(kind="note").text == "The caller hung up after 12 s without leaving a message."

    def test_an_address_of_a_recording_is_not_followed(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        """Only the id is used, behind the address that we know; the same id for another call stays with the first."""
        told_of = {"RecordingUrl": "http://169.254.169.254/latest/meta-data", "RecordingDuration": "9"}
        twilio.files["RE5"] = MP3
        for sid in ("CA1", "CA2"):
            tell(twilio.ring(sid), at)
            tell(twilio.hook("/hooks/twilio/recording/", {"CallSid": sid, "RecordingSid": "RE5", **told_of}), at)
        bad = {"CallSid": "CA1", "RecordingSid": "../../Secrets?x=", **told_of}
        assert tell(twilio.hook("/hooks/twilio/recording/", bad), at).status_code == 200
        work(at)
        assert Recording.objects.get().call.sid == "CA1"
        assert Hook.objects.get(state="quarantined").error == "no RecordingSid"
        asked = {request.path for request in twilio.received if request.method == "GET"}
        assert asked == {f"/2010-04-01/Accounts/{twilio.account}/Recordings/RE5.mp3"}

    def test_a_text_of_nobody_told_twice_in_other_words(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        """Who withholds their number is somebody new each time, but the same text is not."""
        for more in ({}, {"ApiVersion": "2011"}):
            tell(twilio.text("Help", "SM5", sender="anonymous", **more), at)
            work(at)
        assert Message.objects.get(kind="inbound").text == "Help"
        assert not Hook.objects.filter(state="accepted").exists()

    def test_a_key_on_a_phone_that_is_nobodys_is_not_thanked_for(
        self, company: Company, twilio: TwilioServer, at: datetime
    ) -> None:
        pressed = {"CallSid": "CA9", "To": "+4917600000001", "Digits": "1"}
        answer = tell(twilio.hook("/hooks/twilio/voice/?page=1&language=de", pressed), at).content.decode()
        assert "Kein Alarm wartet" in answer and "Danke" not in answer
        work(at)
        assert Hook.objects.get().error == "+4917600000001 is no agent's"

    def test_bodies_that_mean_harm(self, company: Company, twilio: TwilioServer, at: datetime) -> None:
        """Signed all the same: never a 500, nothing that reaches a page as markup or breaks a row."""
        hostile = "\x00\ud800<script>alert(1)</script>\r\nX: y" + "Ж" * 5000
        written = hostile.encode("utf-8", "replace").decode()
        for number, name in enumerate(("From", "To", "CallerName", "Body", "CallSid", "MessageSid", "CallStatus")):
            ring, text = twilio.ring(f"CA{number}", CallerName="x"), twilio.text("x", f"SM{number}")
            for path, hook in (("voice", ring), ("status", ring), ("recording", ring), ("sms", text)):
                form = {**dict(parse_qsl(hook.raw.decode())), name: written}
                assert tell(twilio.hook(f"/hooks/twilio/{path}/", form), at).status_code == 200, (name, path)
        work(at)
        assert not Hook.objects.filter(state="accepted").exists()
        for customer in Customer.objects.all():
            assert "\x00" not in customer.name and len(customer.name) <= 254
