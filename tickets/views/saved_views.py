"""The page of saved views: keep, rename, order, throw away."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tickets.desk import inbox, kept, narrowing, views_kept
from tickets.desk.filters import SEVERAL, BadFilter
from tickets.desk.models import SavedView
from tickets.desk.rendering import page
from tickets.views.access import AgentRequest, viewers_too


class NameForm(forms.Form):
    name = forms.CharField(max_length=120, error_messages={"required": gettext_lazy("Give it a name.")})
    newest_first = forms.BooleanField(required=False)


@require_http_methods(["GET", "POST"])
@viewers_too
def saved_views(request: AgentRequest) -> HttpResponse:
    """GET lists them; POST saves the view that `query` leads to, under `name`, for `audience`."""
    if request.method == "POST":
        return _keep(request)
    shown = [
        (view, narrowing.words(view.filters), kept.may_change(request.user, view))
        for view in inbox.saved_for(request.user)
    ]
    return page(request, "saved_views.jinja", shown=shown)


def _keep(request: AgentRequest) -> HttpResponse:
    asked = QueryDict(request.POST.get("query", "")[:4000])
    given = {name: values if name in SEVERAL else values[-1] for name, values in asked.lists()}
    form = NameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give it a name."))
        return redirect("tickets:saved_views")
    try:
        view = inbox.find(given, request.user)
        saved = views_kept.keep(
            request.user,
            form.cleaned_data["name"],
            dict(view.filters),
            audience=request.POST.get("audience", "me"),
            newest_first=view.order != inbox.DUE,
            at=now(),
        )
    except (inbox.UnknownView, BadFilter) as error:
        raise Http404 from error
    except kept.NotYours as error:
        raise PermissionDenied from error
    except views_kept.TooMany:
        messages.error(
            request, _("There are %(most)s saved views already. Throw one away first.") % {"most": views_kept.MOST}
        )
        return redirect("tickets:saved_views")
    return redirect(f"{reverse('tickets:queue')}?view=saved-{saved.pk}")


@require_POST
@viewers_too
def rename(request: AgentRequest, pk: int) -> HttpResponse:
    view = _find(request, pk)
    form = NameForm(request.POST)
    if form.is_valid():
        view.name, view.newest_first = form.cleaned_data["name"], form.cleaned_data["newest_first"]
        view.updated_at = now()
        view.save(update_fields=["name", "newest_first", "updated_at"])
    else:
        messages.error(request, _("Give it a name."))
    return redirect("tickets:saved_views")


@require_POST
@viewers_too
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    view = _find(request, pk)
    view.delete()
    messages.success(request, _("“%(name)s” is gone.") % {"name": view.name})
    return redirect("tickets:saved_views")


@require_POST
@viewers_too
def move(request: AgentRequest, pk: int) -> HttpResponse:
    views_kept.move(_find(request, pk), -1 if request.POST.get("by") == "up" else 1, at=now())
    return redirect("tickets:saved_views")


@require_POST
@viewers_too
def single_keys(request: AgentRequest) -> HttpResponse:
    """Whether single letters are keys, for this agent everywhere (WCAG 2.1.4)."""
    request.user.single_keys = request.POST.get("on") == "yes"
    request.user.save(update_fields=["single_keys"])
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect("tickets:queue")


def _find(request: AgentRequest, pk: int) -> SavedView:
    try:
        return views_kept.find(pk, request.user)
    except inbox.UnknownView as error:
        raise Http404 from error
    except kept.NotYours as error:
        raise PermissionDenied from error
