"""Many conversations changed at once: each in its own transaction, each with its own outcome, told and taken back."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from helpdesk.conversations import actions as conversations
from helpdesk.conversations.handling import UNSET, Changes, Unset
from helpdesk.conversations.incoming import lock
from helpdesk.conversations.models import DONE, Conversation, Message, Status
from helpdesk.conversations.visibility import may_see
from helpdesk.customers.models import Service, Team, User
from helpdesk.events.actors import Actor
from tickets.desk import macros, variables
from tickets.desk.bulk_models import BulkChange, BulkItem
from tickets.desk.models import Macro

logger = logging.getLogger(__name__)

MOST = 200
UNDO_FOR = timedelta(minutes=10)
TAKEN_BACK = "yes"
State = dict[str, Any]
_NOTHING = Changes()
_TOUCHED = {"add_tags": "tags", "remove_tags": "tags", "add_services": "services", "set_custom": "custom"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done with each: the macro, then the `reply`, then the changes. `then` is the status after a reply,
    "" for waiting.
    """

    changes: Changes = _NOTHING
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    reply: str = ""
    then: str = ""
    macro: Macro | None = None

    @property
    def is_empty(self) -> bool:
        return self.changes == _NOTHING and not (self.add_tags or self.remove_tags or self.reply.strip() or self.macro)

    @property
    def answers(self) -> bool:
        """Whether the customer is written to."""
        steps = self.macro.actions if self.macro else ()
        return bool(self.reply.strip()) or any(step["do"] == "reply" for step in steps)

    @property
    def touches(self) -> frozenset[str]:
        """What it may change besides columns of the conversation."""
        does = {step["do"] for step in self.macro.actions} if self.macro else set()
        touched = {_TOUCHED[do] for do in does if do in _TOUCHED}
        return frozenset(touched | ({"tags"} if self.add_tags or self.remove_tags else set()))

    @property
    def left_to_answer(self) -> frozenset[str]:
        """What its macro's answer to the customer changes of itself, and nothing else of the macro does."""
        does = {step["do"] for step in self.macro.actions} if self.macro else set()
        if "reply" not in does:
            return frozenset()
        said = {"assignee": does & {"assign"}, "status": does & {"set_status", "close"}}
        return frozenset(name for name, by in said.items() if not by)


class TooMany(ValueError):
    """More than MOST conversations at once."""


class TooLate(ValueError):
    """UNDO_FOR has passed, or it was taken back already."""


def run(user: User, numbers: Iterable[int], asked: Asked, *, client_id: UUID, at: datetime) -> BulkChange:
    """Do it to each of these conversations. The same form again goes on where it stopped. Raises TooMany."""
    wanted = list(dict.fromkeys(numbers))
    if len(wanted) > MOST:
        raise TooMany(f"at most {MOST} at once")
    bulk, _is_new = BulkChange.objects.get_or_create(
        user=user, client_id=client_id, defaults={"at": at, "asked": _told(asked), "reply": asked.reply}
    )
    done = set(bulk.items.values_list("number", flat=True))
    for number in wanted:
        if number not in done:
            _settle(bulk, number, asked, user, at)
    return bulk


def _told(asked: Asked) -> dict[str, Any]:
    """What was asked, for the report: codes and names, as they were then."""
    changes = asked.changes
    told: dict[str, Any] = {
        name: value
        for name in ("status", "priority", "is_spam")
        if not isinstance(value := getattr(changes, name), Unset)
    }
    for name in ("team", "assignee"):
        if not isinstance(value := getattr(changes, name), Unset):
            told[name] = str(value) if value else ""
    if not isinstance(changes.snoozed_until, Unset):
        told["snoozed_until"] = changes.snoozed_until.isoformat() if changes.snoozed_until else ""
    if asked.macro:
        told["macro"] = asked.macro.name
    told |= {name: list(tags) for name in ("add_tags", "remove_tags") if (tags := getattr(asked, name))}
    return told


def _settle(bulk: BulkChange, number: int, asked: Asked, user: User, at: datetime) -> None:
    """One conversation, one outcome. One that fails stops none of the others."""
    try:
        _do(bulk, number, asked, user, at)
        return
    except conversations.CannotSleep:
        outcome, why = BulkItem.Outcome.SKIPPED, _("What is done, or until a time that has passed, cannot be snoozed.")
    except ValueError as error:
        # Every refusal of an action is a ValueError that says why.
        outcome, why = BulkItem.Outcome.SKIPPED, str(error)[:300]
    except Exception:
        # Whatever it is, the other conversations must not wait for it; it is told in the report and in the log.
        logger.exception("bulk change %s of conversation %s", bulk.pk, number)
        outcome, why = BulkItem.Outcome.FAILED, _("Something went wrong here. Nothing was changed.")
    _note(bulk, number, outcome, why)


@transaction.atomic
def _do(bulk: BulkChange, number: int, asked: Asked, user: User, at: datetime) -> None:
    if not may_see(user, number):
        _note(bulk, number, BulkItem.Outcome.SKIPPED, _("There is no such conversation."))
        return
    conversation = lock(number)
    if bulk.items.filter(number=number).exists():
        return
    if conversation.merged_into_id is not None:
        why = _("It was merged into #%(number)s.") % {"number": conversation.merged_into_id}
        _note(bulk, number, BulkItem.Outcome.SKIPPED, why)
        return
    first = _state(conversation, asked.touches)
    written = _apply(asked.macro, number, user, at) if asked.macro else None
    second = _state(lock(number), asked.touches)
    first |= {name: second[name] for name in asked.left_to_answer}
    message = _answer(bulk, lock(number), asked, user, at) or written
    third = _state(lock(number), asked.touches)
    # What an answer changes stays as long as the answer, which cannot be taken back.
    before = {name: third[name] if second[name] != third[name] else first[name] for name in first}
    conversation = conversations.change(number, _changes(asked, third), actor=Actor.agent(user), at=at)
    after = _state(conversation, asked.touches)
    changed = {name for name in before if before[name] != after[name]}
    waits = asked.answers and message is None
    BulkItem.objects.create(
        bulk=bulk,
        number=number,
        conversation=conversation,
        message=message,
        outcome=BulkItem.Outcome.DONE if changed or message or waits else BulkItem.Outcome.SAME,
        why=_("A second person reads the answer before it leaves.") if waits else "",
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def _apply(macro: Macro, number: int, user: User, at: datetime) -> Message | None:
    """Do what the macro says; what it wrote to the customer. Raises CannotDo, NotYours."""
    macros.apply(macro, number, user, at=at)
    said = Message.objects.filter(conversation=number, agent=user, kind=Message.Kind.OUTBOUND, at=at)
    return said.order_by("-pk").first()


def _answer(bulk: BulkChange, conversation: Conversation, asked: Asked, user: User, at: datetime) -> Message | None:
    if not asked.reply.strip():
        return None
    text = variables.fill(asked.reply, variables.values_of(conversation, user))
    client_id = uuid5(bulk.client_id, str(conversation.pk))
    then = asked.then or Status.PENDING
    return conversations.answer(conversation, user, text, at=at, client_id=client_id, status=then)


def _changes(asked: Asked, before: State) -> Changes:
    if not asked.add_tags and not asked.remove_tags:
        return asked.changes
    tags = [tag for tag in [*before["tags"], *asked.add_tags] if tag not in asked.remove_tags]
    return _with(asked.changes, tags=tags)


def _with(changes: Changes, **more: Any) -> Changes:
    given = {name: getattr(changes, name) for name in Changes.__dataclass_fields__}
    return Changes(**{**given, **more})


def _state(conversation: Conversation, touched: Collection[str]) -> State:
    """What a change may touch, as JSON; tags, services and custom fields only where they are touched."""
    until = conversation.snoozed_until
    state: State = {
        "status": conversation.status,
        "priority": conversation.priority,
        "team": conversation.team_id,
        "assignee": conversation.assignee_id,
        "is_spam": conversation.is_spam,
        "snoozed_until": until.astimezone(UTC).isoformat() if until else None,
    }
    if "tags" in touched:
        state["tags"] = sorted(conversation.tags.values_list("name", flat=True))
    if "services" in touched:
        state["services"] = sorted(conversation.services.values_list("pk", flat=True))
    if "custom" in touched:
        state["custom"] = dict(conversation.custom)
    return state


def _note(bulk: BulkChange, number: int, outcome: str, why: str) -> None:
    BulkItem.objects.bulk_create([BulkItem(bulk=bulk, number=number, outcome=outcome, why=why)], ignore_conflicts=True)


def may_undo(bulk: BulkChange, at: datetime) -> bool:
    return bulk.undone_at is None and at < bulk.at + UNDO_FOR


def undo(bulk: BulkChange, user: User, *, at: datetime) -> None:
    """Put back what the change made different, where nobody has changed it since. What was sent stays sent.

    Raises TooLate.
    """
    if not BulkChange.objects.filter(pk=bulk.pk, undone_at=None, at__gt=at - UNDO_FOR).update(undone_at=at):
        raise TooLate("it is too late, or was taken back already")
    for item in bulk.items.filter(outcome=BulkItem.Outcome.DONE).exclude(before={}):
        try:
            item.undone = _take_back(item, user, at)
        except ValueError as error:
            item.undone = str(error)[:300]
        except Exception:
            # As in `_settle`: the others are taken back all the same.
            logger.exception("undo of bulk change %s of conversation %s", bulk.pk, item.number)
            item.undone = _("Something went wrong here. Nothing was changed.")
        item.save(update_fields=["undone"])


@transaction.atomic
def _take_back(item: BulkItem, user: User, at: datetime) -> str:
    if not may_see(user, item.number):
        return _("There is no such conversation.")
    conversation = lock(item.number)
    now_is = _state(conversation, item.after)
    if any(now_is[name] != value for name, value in item.after.items()):
        return _("Somebody has changed it since.")
    changes = _restoring(item.before, item.after, at)
    conversations.change(item.number, changes, actor=Actor.agent(user), at=at, may_lack_fields=True)
    return TAKEN_BACK


def _restoring(before: State, after: State, at: datetime) -> Changes:
    given: dict[str, Any] = {name: before[name] for name in ("status", "priority", "tags", "is_spam") if name in before}
    if "team" in before:
        given["team"] = Team.objects.filter(pk=before["team"]).first()
    if "assignee" in before:
        given["assignee"] = User.objects.filter(pk=before["assignee"]).first()
    if "services" in before:
        given["services"] = list(Service.objects.filter(pk__in=before["services"]))
    if "custom" in before:
        # What was empty before is emptied again.
        given["custom"] = {**dict.fromkeys(after["custom"]), **before["custom"]}
    given["snoozed_until"] = _until(before, at)
    return Changes(**given)


def _until(before: State, at: datetime) -> datetime | Unset | None:
    """What was to sleep until now stays awake; and what is done never slept."""
    if "snoozed_until" not in before or before.get("status") in DONE:
        return UNSET
    until = parse_datetime(before["snoozed_until"]) if before["snoozed_until"] else None
    return UNSET if until is not None and until <= at else until


def summary(bulk: BulkChange) -> dict[str, int]:
    """How many of each outcome, and how many were taken back."""
    counts = dict.fromkeys([*BulkItem.Outcome.values, "undone"], 0)
    for outcome, undone in bulk.items.values_list("outcome", "undone"):
        counts[outcome] += 1
        counts["undone"] += undone == TAKEN_BACK
    return counts
