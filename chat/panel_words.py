"""Every word that the panel's scripts say, in the active language: one language a page, none in the scripts."""

from django.utils.translation import gettext as _


def panel_words() -> dict[str, str]:
    """By the names that static/chat/*.js use; %s stands for what is filled in."""
    return {**_people(), **_messages(), **_files(), **_ways(), **_afterwards()}


def _people() -> dict[str, str]:
    return {
        "you": _("You"),
        "team": _("Our team"),
        "typing": _("%s is typing"),
        "joined": _("%s has joined"),
        "handed": _("%s is asking a colleague to take over"),
        "ended": _("This conversation has ended. Write to take it up again."),
        "converted": _("This is ticket number %s now. We answer here and by e-mail."),
        "here": _("%s is here"),
        "place": _("Your place in the queue: %s"),
        "next": _("You are next in the queue"),
        "open_until": _("Open until %s"),
        "back_at": _("We are back %s"),
        "away": _("Nobody can chat right now"),
        "closed_hint": _("Write now, we answer by e-mail."),
        "mail_hint": _("Leaving? We e-mail the answer to %s"),
        "leave": _("Where do we send the answer if you leave?"),
        "live_until": _("Live chat is included until %s"),
        "greeting": _("Hello! How can we help?"),
    }


def _messages() -> dict[str, str]:
    return {
        "sending": _("Sending"),
        "sent": _("Sent"),
        "seen": _("Seen"),
        "failed": _("Not sent"),
        "retry": _("Try again"),
        "copy": _("Copy"),
        "copied": _("Copied"),
        "deleted": _("This message was taken back."),
        "today": _("Today"),
        "yesterday": _("Yesterday"),
        "by_mail": _("by e-mail"),
        "offline": _("Reconnecting. Your messages are kept."),
        "slow": _("That was a little too fast. We try again by ourselves."),
        "error": _("That did not work. Please try again."),
        "sign": _("Please log in on this page first."),
        "need_text": _("Write something or add a file."),
        "need_email": _("We need an e-mail address to answer to."),
        "bad_email": _("This is no e-mail address."),
    }


def _files() -> dict[str, str]:
    return {
        "remove": _("Remove %s"),
        "too_large": _("%s is too large: a file may have 10 MB at most."),
        "too_many": _("A message may have 5 files at most."),
        "bad_file": _("%s could not be sent."),
        "uploading": _("Sending %s"),
        "uploaded": _("%s is ready to be sent"),
    }


def _ways() -> dict[str, str]:
    return {
        "no_slots": _("There are no free times in the next days."),
        "booked": _("See you %s. We have sent you the appointment by e-mail."),
        "taken": _("Somebody was quicker: that time is taken. Please choose another."),
        "choose": _("Choose a time"),
        "my_chats": _("Your booked chats"),
        "move": _("Move the chat"),
        "cancel": _("Cancel"),
        "called_off": _("Cancelled: %s"),
    }


def _afterwards() -> dict[str, str]:
    return {
        "no_past": _("No earlier conversations."),
        "state_chat": _("Open"),
        "state_ended": _("Ended"),
        "state_ticket": _("Ticket %s"),
        "mailed": _("The transcript is on its way to %s."),
        "thanks": _("Thank you!"),
        "fixed": _("We tell you when it is fixed."),
    }
