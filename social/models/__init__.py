"""Index of the social room's models."""

from social.models.accounts import Account, Spending
from social.models.announcements import Announcement, AnnouncementPost
from social.models.arrivals import Arrival
from social.models.handling import Approval, ApprovalFile, ModerationAction, TicketClaim, Topic
from social.models.posts import Person, Post, Thread

__all__ = [
    "Account",
    "Announcement",
    "AnnouncementPost",
    "Approval",
    "ApprovalFile",
    "Arrival",
    "ModerationAction",
    "Person",
    "Post",
    "Spending",
    "Thread",
    "TicketClaim",
    "Topic",
]
