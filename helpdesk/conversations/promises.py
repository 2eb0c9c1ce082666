"""Which clocks a conversation starts, keeps, pauses and cancels. The rules; the arithmetic is in `helpdesk.sla`."""

from datetime import datetime

from helpdesk.conversations.models import Conversation, Status
from helpdesk.customers.models import Plan
from helpdesk.sla import calendars, clocks
from helpdesk.sla.models import Policy, Target

OPENING = (Target.DISPATCH, Target.FIRST_RESPONSE, Target.RESOLUTION)
ANSWERS = (Target.FIRST_RESPONSE, Target.NEXT_RESPONSE)
# Dispatch never pauses: only a person who takes the ticket keeps that promise.
PAUSING = (Target.FIRST_RESPONSE, Target.NEXT_RESPONSE, Target.RESOLUTION)
WAITING = (Status.PENDING, Status.ON_HOLD)


def opening(
    organization_id: int | None,
    priority: str,
    *,
    at: datetime,
    is_live: bool = False,
    own_policy_id: int | None = None,
) -> tuple[int | None, list[clocks.Start]]:
    """The policy that holds for a new conversation (its own, or the plan's), and the clocks it starts; no policy where
    there is no plan.
    """
    if own_policy_id is None:
        policy_id, promised = clocks.planned(organization_id, priority)
    else:
        policy_id, promised = own_policy_id, clocks.promises(own_policy_id, priority)
    starts = clocks.reckon([promised[t] for t in OPENING if t in promised], at=at)
    if is_live and policy_id is not None:
        starts = clocks.sooner([*starts, *clocks.reckon(clocks.live(policy_id, priority).values(), at=at)])
    return policy_id, starts


def start_opening(conversation: Conversation, *, at: datetime) -> None:
    """A new conversation: everything its plan promises counts from now."""
    promised = clocks.promises(conversation.policy_id, conversation.priority)
    clocks.start(conversation.pk, [promised[t] for t in OPENING if t in promised], at=at)


def written_again(conversation: Conversation, *, at: datetime) -> None:
    """The customer wrote: what waited for them counts on, and the next answer is promised."""
    known = clocks.states(conversation.pk)
    if known.paused & set(PAUSING):
        resume(conversation, at=at)
    _start_answering(conversation, known, at)


def start_answering(conversation: Conversation, *, at: datetime) -> None:
    """The next answer is promised, and the rest where a reopened ticket lost it."""
    _start_answering(conversation, clocks.states(conversation.pk), at)


def _start_answering(conversation: Conversation, known: clocks.States, at: datetime) -> None:
    wanted = {Target.RESOLUTION}
    if Target.FIRST_RESPONSE not in known.open:
        wanted.add(Target.NEXT_RESPONSE if Target.FIRST_RESPONSE in known.met else Target.FIRST_RESPONSE)
    if conversation.assignee_id is None:
        wanted.add(Target.DISPATCH)
    if wanted <= known.open:
        return
    promised = clocks.promises(conversation.policy_id, conversation.priority)
    missing = [promised[t] for t in wanted - known.open if t in promised]
    clocks.start(conversation.pk, missing, at=at)


def wait_live(conversation: Conversation, *, at: datetime) -> None:
    """The customer waits in a live conversation that began otherwise: the answer is promised as soon as there."""
    promised = clocks.live(conversation.policy_id, conversation.priority).get(Target.FIRST_RESPONSE)
    if promised is not None:
        clocks.hasten(conversation.pk, ANSWERS, promised, at=at)


def at_leisure(conversation: Conversation, *, at: datetime) -> None:
    """Nobody waits in it any more: the answer is promised as for every request, from its beginning."""
    promised = clocks.promises(conversation.policy_id, conversation.priority)
    resume(conversation, at=at)
    clocks.change_goals(conversation.pk, {t: promised[t] for t in ANSWERS if t in promised}, at=at)


def answered(conversation: Conversation, *, at: datetime) -> None:
    """A person answered the customer."""
    clocks.meet(conversation.pk, ANSWERS, at=at)


def dispatched(conversation: Conversation, *, at: datetime) -> None:
    """A person took the ticket."""
    clocks.meet(conversation.pk, [Target.DISPATCH], at=at)


def released(conversation: Conversation, *, at: datetime) -> None:
    """Nobody has it, or nobody yet: the hour in which somebody must take it begins, unless it runs already."""
    promised = clocks.promises(conversation.policy_id, conversation.priority)
    if Target.DISPATCH in promised:
        clocks.start(conversation.pk, [promised[Target.DISPATCH]], at=at)


def agreed(conversation: Conversation, *, at: datetime) -> None:
    """A time was agreed on: nobody has to take it while it waits for that. `released` when it waits no more."""
    clocks.cancel(conversation.pk, [Target.DISPATCH], at=at)


def resolved(conversation: Conversation, *, at: datetime) -> None:
    """Done: the resolution is kept, and nothing else is waited for."""
    clocks.meet(conversation.pk, [Target.RESOLUTION], at=at)
    clocks.cancel(conversation.pk, [*ANSWERS, Target.DISPATCH], at=at)


def pause(conversation: Conversation, *, at: datetime) -> None:
    """We wait for the customer, or for somebody else."""
    clocks.pause(conversation.pk, PAUSING, at=at)


def resume(conversation: Conversation, *, at: datetime) -> None:
    clocks.resume(conversation.pk, PAUSING, at=at)


def due_by(conversation: Conversation, until: datetime, *, at: datetime) -> bool:
    """A day was agreed on for the solution: its clock is due when the calendar last closes before `until`, instead of
    when the plan says. False where the calendar is never open before: then the plan's promise stands.
    """
    policy = Policy.objects.select_related("calendar").get(pk=conversation.policy_id)
    hours = calendars.hours_of(policy.calendar_id, policy.calendar.version)
    seconds = int(hours.worked(at, until))
    if seconds <= 0:
        return False
    clocks.cancel(conversation.pk, [Target.RESOLUTION], at=at)
    promise = clocks.Promise(Target.RESOLUTION, seconds, policy.calendar_id, policy.calendar.version)
    clocks.start(conversation.pk, [promise], at=at)
    return True


def reprioritized(conversation: Conversation, *, at: datetime) -> None:
    """The open clocks get the goals of the new priority; those it does not promise are left as they were."""
    clocks.change_goals(conversation.pk, clocks.promises(conversation.policy_id, conversation.priority), at=at)


def is_outside_office_hours(at: datetime) -> bool:
    """Whether our own office is closed at `at`. Without office hours it never is."""
    hours = calendars.office_hours()
    return hours is not None and not hours.is_open(at)


def office_opens_at(at: datetime) -> datetime | None:
    """When somebody is in the office again, `at` itself while it is open; None where it never closes or never opens."""
    hours = calendars.office_hours()
    return None if hours is None else hours.next_opening(at)


def wakes_on_call(conversation: Conversation, plan: Plan | None) -> bool:
    """Whether a request outside office hours rings at once, as with Enterprise SLA or an urgent one."""
    return conversation.priority == "urgent" or (plan is not None and plan.urgent_when_closed)
