"""What we tell everybody, in the desk: written once, adapted for each account, read by a second person, followed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from helpdesk.customers.permissions import may_work
from helpdesk.desk.pages import AgentRequest, agent_view, page
from helpdesk.numbers import is_number
from social import accounts, announcing
from social.connecting_words import ICONS
from social.models import Account, Announcement, AnnouncementPost
from social.network import network

PART: Final = 30
LONGEST: Final = 5000
STATES: Final = {
    Announcement.State.DRAFT: (gettext_lazy("Draft"), ""),
    Announcement.State.WAITING: (gettext_lazy("Waits for a second reader"), "warn"),
    Announcement.State.SCHEDULED: (gettext_lazy("Scheduled"), "info"),
    Announcement.State.PUBLISHED: (gettext_lazy("Published"), "ok"),
    Announcement.State.WITHDRAWN: (gettext_lazy("Withdrawn"), ""),
}
POST_STATES: Final = {
    AnnouncementPost.State.PENDING: (gettext_lazy("Waits"), ""),
    AnnouncementPost.State.SENDING: (gettext_lazy("Being sent"), "info"),
    AnnouncementPost.State.SENT: (gettext_lazy("Posted"), "ok"),
    AnnouncementPost.State.FAILED: (gettext_lazy("Failed"), "bad"),
    AnnouncementPost.State.NOT_CONNECTED: (gettext_lazy("Not connected"), "warn"),
    AnnouncementPost.State.BY_HAND: (gettext_lazy("Post it by hand"), "warn"),
}
KINDS: Final = {
    "email": gettext_lazy("an e-mail address"),
    "phone": gettext_lazy("a phone number"),
    "password": gettext_lazy("a password"),
    "key": gettext_lazy("a key"),
    "login": gettext_lazy("a login"),
    "number": gettext_lazy("a customer's or ticket's number"),
    "address": gettext_lazy("a postal address"),
    "card": gettext_lazy("a card number"),
    "iban": gettext_lazy("a bank account"),
    "ip": gettext_lazy("an IP address"),
    "name": gettext_lazy("a customer's domain or server"),
}


class AnnouncementForm(forms.Form):
    text = forms.CharField(max_length=LONGEST, label=gettext_lazy("What you have to say"))
    link = forms.URLField(max_length=500, required=False, assume_scheme="https", label=gettext_lazy("Link"))
    accounts = forms.ModelMultipleChoiceField(Account.objects.none(), label=gettext_lazy("Where"))
    publish_at = forms.DateTimeField(required=False, label=gettext_lazy("When"))

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["accounts"].queryset = offered()  # type: ignore[attr-defined]

    def own(self) -> dict[int, str]:
        """Words of their own, by account."""
        given = {one.pk: str(self.data.get(f"text_{one.pk}", "")).strip()[:LONGEST] for one in offered()}
        return {pk: words for pk, words in given.items() if words}


def offered() -> Any:
    """Accounts something can be announced on, by ourselves or by hand."""
    return Account.objects.filter(is_active=True).exclude(network=Account.Network.FEED)


@require_safe
@agent_view
def listed(request: AgentRequest) -> HttpResponse:
    """Newest first; `before` is the id before which a part begins."""
    rows = Announcement.objects.select_related("by", "approved_by").order_by("-pk")
    posts = AnnouncementPost.objects.select_related("account").order_by("account__network", "pk")
    before = request.GET.get("before", "")
    if is_number(before):
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.prefetch_related(Prefetch("posts", posts))[: PART + 1])
    return page(
        request,
        "announcements.jinja",
        rows=found[:PART],
        before=found[PART - 1].pk if len(found) > PART else 0,
        may_write=may_work(request.user),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"states": STATES, "post_states": POST_STATES, "icons": ICONS}


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def new(request: AgentRequest) -> HttpResponse:
    if not may_work(request.user):
        raise PermissionDenied
    return _write(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def edit(request: AgentRequest, pk: int) -> HttpResponse:
    announcement = get_object_or_404(Announcement, pk=pk, kind=Announcement.Kind.NEWS)
    if not may_work(request.user):
        raise PermissionDenied
    return _write(request, announcement)


def _write(request: AgentRequest, found: Announcement | None) -> HttpResponse:
    if request.method != "POST":
        return _ask(request, AnnouncementForm(initial=_initial(found)), found)
    form, wanted = AnnouncementForm(request.POST), request.POST.get("do", "")
    if not form.is_valid() or wanted == "preview":
        return _ask(request, form, found, status=200 if form.is_valid() else 422)
    if wanted == "schedule" and form.cleaned_data["publish_at"] is None:
        form.add_error("publish_at", _("Say when."))
        return _ask(request, form, found, status=422)
    try:
        made = _save(request, form, found, now())
    except announcing.Exposes as error:
        form.add_error("text", _exposed(error))
    except announcing.TooLong as error:
        said = {"account": error.account, "length": error.count.length, "limit": error.count.limit}
        form.add_error(None, _("Too long for %(account)s: %(length)s of %(limit)s.") % said)
    except announcing.NotOpen:
        form.add_error(None, _("It has gone out, or was withdrawn: write a new one."))
    else:
        return redirect("social:announcement", made.pk)
    return _ask(request, form, found, status=422)


def _exposed(error: announcing.Exposes) -> str:
    kinds = ", ".join(str(KINDS.get(kind, kind)) for kind in error.kinds)
    return _("This would be in public: %(kinds)s. Take it out; everybody reads an announcement.") % {"kinds": kinds}


def _save(request: AgentRequest, form: AnnouncementForm, found: Announcement | None, at: datetime) -> Announcement:
    given, wanted = form.cleaned_data, request.POST.get("do", "")
    chosen = list(given["accounts"])
    if found is None:
        made = announcing.write(given["text"], chosen, request.user, at=at, link=given["link"], texts=form.own())
    else:
        made = announcing.rewrite(found.pk, given["text"], chosen, link=given["link"], texts=form.own())
    if wanted in ("now", "schedule"):
        when = given["publish_at"] if wanted == "schedule" else at
        made = announcing.submit(made.pk, publish_at=max(when, at))
    waits = made.state == Announcement.State.WAITING
    messages.success(
        request, _("It waits for a second person to read it.") if waits else _("It goes out as planned.")
        if wanted in ("now", "schedule") else _("Kept as a draft.")
    )  # fmt: skip
    return made


def _initial(found: Announcement | None) -> dict[str, Any]:
    if found is None:
        return {}
    chosen = list(found.posts.values_list("account", flat=True))
    return {"text": found.text, "link": found.link, "accounts": chosen, "publish_at": found.publish_at}


def _ask(
    request: AgentRequest, form: AnnouncementForm, found: Announcement | None, *, status: int = 200
) -> HttpResponse:
    text, link = str(form["text"].value() or "")[:LONGEST], str(form["link"].value() or "")[:500]
    own = form.own() if form.is_bound else _own_of(found)
    chosen = {str(pk) for pk in form["accounts"].value() or ()}
    lines = [_line(one, text, link, own.get(one.pk, ""), str(one.pk) in chosen) for one in offered()]
    return page(
        request,
        "announcement_write.jinja",
        status=status,
        form=form,
        found=found,
        lines=lines,
        is_previewed=bool(text),
        longest=LONGEST,
    )


def _own_of(found: Announcement | None) -> dict[int, str]:
    """What an account says otherwise than it would by itself."""
    posts = found.posts.select_related("account") if found else ()
    return {
        post.account_id: post.text
        for post in posts
        if found and post.text != announcing.adapted(post.account, found.text, found.link)[0]
    }


def _line(account: Account, text: str, link: str, own: str, is_chosen: bool) -> dict[str, Any]:
    """One account of the form: what would stand there, and how long its network finds it."""
    words, count = announcing.adapted(account, text, link, own) if text or own else ("", None)
    return {
        "account": account,
        "title": network(account.network).title,
        "icon": ICONS[account.network],
        "is_chosen": is_chosen,
        "own": own,
        "words": words,
        "count": count,
        "cannot": accounts.may_send(account),
        "by_hand": "publish" not in network(account.network).can,
    }


@require_safe
@agent_view
def one(request: AgentRequest, pk: int) -> HttpResponse:
    announcement = get_object_or_404(Announcement.objects.select_related("by", "approved_by"), pk=pk)
    posts = list(announcement.posts.select_related("account").order_by("account__network", "pk"))
    is_open = announcement.state in (
        Announcement.State.DRAFT, Announcement.State.WAITING, Announcement.State.SCHEDULED
    )  # fmt: skip
    may = may_work(request.user)
    waits = announcement.state == Announcement.State.WAITING
    return page(
        request,
        "announcement.jinja",
        one=announcement,
        posts=posts,
        may_edit=may and is_open and announcement.kind == Announcement.Kind.NEWS,
        may_withdraw=may and is_open,
        may_approve=may and waits and announcement.by_id != request.user.pk,
        waits_for_others=waits and announcement.by_id == request.user.pk,
        may_send=may,
        **_words(),
    )


def _act(do: Callable[[AgentRequest, int], str]) -> Any:
    """A button: does it, says what came of it, and leads back."""

    @require_POST
    @agent_view
    def view(request: AgentRequest, pk: int) -> HttpResponse:
        get_object_or_404(Announcement, pk=pk)
        try:
            messages.success(request, do(request, pk))
        except announcing.SecondReader:
            messages.error(request, _("Somebody else must read it."))
        except announcing.NotOpen:
            messages.error(request, _("It has gone out, was withdrawn, or does not wait any more."))
        return redirect("social:announcement", pk)

    return view


def _approve(request: AgentRequest, pk: int) -> str:
    announcing.approve(pk, request.user, at=now())
    return _("Approved: it goes out as planned.")


def _withdraw(request: AgentRequest, pk: int) -> str:
    announcing.withdraw(pk)
    return _("Withdrawn: it does not go out.")


approve, withdraw = _act(_approve), _act(_withdraw)


@require_POST
@agent_view
def retry(request: AgentRequest, pk: int) -> HttpResponse:
    """Send one again that failed."""
    post = get_object_or_404(AnnouncementPost, pk=pk)
    if announcing.retry(pk, at=now()):
        messages.success(request, _("It is sent again."))
    else:
        messages.info(request, _("There is nothing to send again."))
    return redirect("social:announcement", post.announcement_id)


@require_POST
@agent_view
def posted(request: AgentRequest, pk: int) -> HttpResponse:
    """Somebody has posted it there by hand."""
    post = get_object_or_404(AnnouncementPost, pk=pk)
    url = request.POST.get("url", "").replace("\x00", "").strip()[:1000]
    if url and not url.startswith(("https://", "http://")):
        messages.error(request, _("Paste the post's address, beginning with https://"))
    elif announcing.mark_posted(pk, url, at=now()):
        messages.success(request, _("Marked as posted."))
    else:
        messages.info(request, _("It has left by itself."))
    return redirect("social:announcement", post.announcement_id)
