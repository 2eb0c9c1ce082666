"""Index of the room's models: mail's and the desk's."""

from tickets.desk.models import (
    BlockedSender,
    CannedReply,
    ChecklistItem,
    CustomField,
    Draft,
    Macro,
    Mention,
    NotificationChoice,
    PushSubscription,
    Rule,
    RuleRun,
    SavedView,
    TimeEntry,
)
from tickets.mail.models import (
    ImapAccount,
    InboundEmail,
    Mailbox,
    MailHeader,
    MailThread,
    RateCount,
    SuspendedAddress,
)

__all__ = [
    "BlockedSender",
    "CannedReply",
    "ChecklistItem",
    "CustomField",
    "Draft",
    "ImapAccount",
    "InboundEmail",
    "Macro",
    "MailHeader",
    "MailThread",
    "Mailbox",
    "Mention",
    "NotificationChoice",
    "PushSubscription",
    "RateCount",
    "Rule",
    "RuleRun",
    "SavedView",
    "SuspendedAddress",
    "TimeEntry",
]
