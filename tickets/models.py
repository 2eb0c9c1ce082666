"""Index of the room's models: mail's and the desk's."""

from tickets.desk.bulk_models import BulkChange, BulkItem
from tickets.desk.models import (
    BlockedSender,
    CannedReply,
    ChecklistItem,
    Draft,
    Macro,
    Mention,
    NotificationChoice,
    PushSubscription,
    Rule,
    RuleRun,
    SavedView,
    TimeEntry,
    Topic,
)
from tickets.mail.models import (
    Digest,
    ImapAccount,
    InboundEmail,
    Mailbox,
    MailHeader,
    MailThread,
    RateCount,
    SuspendedAddress,
)
from tickets.reports.models import Figure, ReportProgress, Tally, WallboardLink

__all__ = [
    "BlockedSender",
    "BulkChange",
    "BulkItem",
    "CannedReply",
    "ChecklistItem",
    "Digest",
    "Draft",
    "Figure",
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
    "ReportProgress",
    "Rule",
    "RuleRun",
    "SavedView",
    "SuspendedAddress",
    "Tally",
    "TimeEntry",
    "Topic",
    "WallboardLink",
]
