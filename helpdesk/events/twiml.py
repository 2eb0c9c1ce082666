"""TwiML: what Twilio is told to do with a call, as XML. Pure. https://www.twilio.com/docs/voice/twiml"""

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, tostring

LONGEST_SAID: Final = 1000
_VOICES: Final = {"en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES", "pt": "pt-PT"}


def response(*verbs: Element) -> str:
    """The whole answer."""
    root = Element("Response")
    root.extend(verbs)
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(root, encoding="unicode")


def said(text: str, language: str = "en") -> Element:
    """Words to be spoken, or a recorded file to be played where `text` is its https address."""
    text = text.strip()
    if text.startswith("https://") and len(text.split()) == 1:
        return _verb("Play", text)
    return _verb("Say", _speakable(text), language=_VOICES.get(language, _VOICES["en"]))


def record(
    *, action: str, callback: str, longest_seconds: int, transcription: str = "", silence_seconds: int = 8
) -> Element:
    """Take a message; `action` is asked what to do then, `callback` is told of the recording, `transcription` of its
    words."""
    more = {"transcribe": "true", "transcribeCallback": transcription} if transcription else {}
    return _verb(
        "Record",
        action=action,
        method="POST",
        maxLength=str(longest_seconds),
        timeout=str(silence_seconds),
        finishOnKey="#",
        playBeep="true",
        trim="trim-silence",
        recordingStatusCallback=callback,
        recordingStatusCallbackMethod="POST",
        recordingStatusCallbackEvent="completed absent",
        **more,
    )


def gather(words: Iterable[Element], *, action: str, seconds: int = 8) -> Element:
    """Say something and wait for one key; `action` gets it. Without a key the call goes on behind it."""
    verb = _verb("Gather", action=action, method="POST", numDigits="1", timeout=str(seconds))
    verb.extend(words)
    return verb


def dial(number: str, *, action: str, caller_id: str, seconds: int = 40) -> Element:
    """Join the call with a number; `action` is told what came of it."""
    verb = _verb("Dial", action=action, method="POST", callerId=caller_id, timeout=str(seconds), answerOnBridge="true")
    verb.append(_verb("Number", number))
    return verb


def hangup() -> Element:
    return Element("Hangup")


def reject() -> Element:
    """Do not take the call at all."""
    return Element("Reject")


def pause(seconds: int) -> Element:
    return _verb("Pause", length=str(seconds))


def _verb(name: str, text: str = "", **attributes: str) -> Element:
    verb = Element(name, attributes)
    verb.text = text or None
    return verb


def _speakable(text: str) -> str:
    """Without what XML cannot hold (XML 1.0 §2.2), on one line, and short enough to listen to."""
    kept = "".join(c if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF and ord(c) < 0xFFFE else " " for c in text)
    return " ".join(kept.split())[:LONGEST_SAID]
