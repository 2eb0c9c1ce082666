"""Steps against posts and people, with their reasons; and the list of them, where they are taken back."""

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers.models import User
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import whole_number
from social import covering, moderating, permissions, wording
from social.models import ModerationAction, Post, Thread
from social.network import network
from social.views.desk import thread_of

PAGE: Final = 50
_AGAINST_POSTS: Final = ("hide", "report", "delete")
_AGAINST_PEOPLE: Final = ("mute", "block", "report")
# Why something is taken back is another question than why it is done.
_TAKEN_BACK: Final = ("mistake", "appeal")


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def moderate(request: AgentRequest, pk: int) -> HttpResponse:
    """GET asks what to do with a `post`, or with the person; POST does it: `kind`, `reason`, `words`; or `cover`."""
    thread = thread_of(request, pk)
    given = request.POST if request.method == "POST" else request.GET
    post = _post(thread, given.get("post", ""))
    if request.method == "POST" and post is not None and given.get("cover") in ("0", "1"):
        covering.cover(post, request.user, is_abusive=given["cover"] == "1", at=now())
        return redirect("tickets:conversation", pk)
    steps = _steps(thread, post, request.user)
    kind, reason = given.get("kind", ""), given.get("reason", "")
    error = ""
    if request.method == "POST":
        if kind in (*_AGAINST_POSTS, *_AGAINST_PEOPLE) and not permissions.may_moderate(request.user, kind):
            raise PermissionDenied
        if kind in steps and reason in _reasons():
            _act(request, thread, post, kind, reason, given.get("words", ""))
            return redirect("tickets:conversation", pk)
        error = _("Choose what to do, and why.")
    context = {
        "thread": thread,
        "post": post,
        "steps": {one: wording.KINDS[one] for one in steps},
        "by_hand": [one for one in steps if one not in network(thread.account.network).can],
        "reasons": {one: wording.REASONS[one] for one in _reasons()},
        "kind": kind,
        "reason": reason,
        "error": error,
    }
    return page(request, "social_moderate.jinja", status=422 if error else 200, **context)


def _post(thread: Thread, asked: str) -> Post | None:
    number = whole_number(asked)
    return get_object_or_404(Post, pk=number, message__conversation=thread.pk) if number else None


def _steps(thread: Thread, post: Post | None, user: User) -> list[str]:
    """What may be done: against what we said ourselves only deleting it, against a person not what is done already."""
    if post is not None and post.person_id is None:
        kinds = ["delete"]
    elif post is not None:
        # What others wrote goes where the place is ours: a page, a forum.
        never = {"hide"} if not post.is_public or post.hidden_at is not None else set()
        never |= set() if "delete_theirs" in network(thread.account.network).can else {"delete"}
        kinds = [kind for kind in _AGAINST_POSTS if kind not in never]
    else:
        done = {"mute": thread.person.muted_at, "block": thread.person.blocked_at}
        kinds = [kind for kind in _AGAINST_PEOPLE if not done.get(kind)]
    return [kind for kind in kinds if permissions.may_moderate(user, kind)]


def _reasons() -> list[str]:
    return [one for one in ModerationAction.Reason.values if one not in _TAKEN_BACK]


def _act(request: AgentRequest, thread: Thread, post: Post | None, kind: str, reason: str, words: str) -> None:
    against: dict[str, Any] = {"post": post} if post is not None else {"person": thread.person}
    action = moderating.act(
        ModerationAction.Kind(kind), request.user, reason, at=now(), words=words.strip()[:500], **against
    )
    if action.state == ModerationAction.State.BY_HAND:
        messages.warning(
            request,
            _("On record. %(network)s has no call for it: do it there, then mark it as done under Moderation.")
            % {"network": network(thread.account.network).title},
        )
    else:
        messages.success(request, _("On record, and on its way to the network."))


def seen_by(user: User) -> QuerySet[ModerationAction]:
    """Steps whose conversation this agent may see; what belongs to none is the admins'."""
    found = ModerationAction.objects.select_related("account", "post__person", "person", "by", "reverses")
    of_conversations = Q(conversation__in=visible_conversations(user))
    return found.filter(of_conversations | Q(conversation=None) if user.is_admin else of_conversations)


@require_safe
@agent_view
def moderation(request: AgentRequest) -> HttpResponse:
    """What was done against posts and people, newest first; `before` is the last one that was shown."""
    before = whole_number(request.GET.get("before", ""))
    rows = seen_by(request.user).select_related("reversed_by").order_by("-pk")
    found = list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
    for one in found:
        one.may_reverse = _may_reverse(one, request.user)  # type: ignore[attr-defined]
    return page(
        request,
        "social_moderation.jinja",
        found=found[:PAGE],
        more=found[PAGE - 1].pk if len(found) > PAGE else 0,
        kinds=wording.KINDS,
        reasons=wording.REASONS,
        taken_back={one: wording.REASONS[one] for one in _TAKEN_BACK},
    )


def _may_reverse(action: ModerationAction, user: User) -> bool:
    is_open = action.kind in moderating.OPPOSITE and not hasattr(action, "reversed_by")
    return is_open and permissions.may_reverse(user, action)


@require_POST
@agent_view
def reverse(request: AgentRequest, pk: int) -> HttpResponse:
    """Take a step back: `reason` is mistake or appeal."""
    action = get_object_or_404(seen_by(request.user), pk=pk)
    if not permissions.may_reverse(request.user, action):
        raise PermissionDenied
    reason = request.POST.get("reason", "")
    if reason not in _TAKEN_BACK:
        messages.error(request, _("Choose why it is taken back."))
        return redirect("social:moderation")
    try:
        moderating.reverse(action.pk, request.user, reason, at=now(), words=request.POST.get("words", "")[:500])
        messages.success(request, _("Taken back."))
    except moderating.NotReversible:
        messages.warning(request, _("It was taken back already, or has no way back."))
    return redirect("social:moderation")


@require_POST
@agent_view
def done(request: AgentRequest, pk: int) -> HttpResponse:
    """Somebody has done on the network what it has no call for."""
    action = get_object_or_404(seen_by(request.user), pk=pk)
    if not permissions.may_moderate(request.user, action.kind):
        raise PermissionDenied
    if moderating.mark_done(action.pk):
        messages.success(request, _("Marked as done."))
    return redirect("social:moderation")
