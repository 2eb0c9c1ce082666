"""The agent's own page of the settings: how customers see them, and how they chat."""

from django.contrib import messages
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from chat import agents, pictures, profiles, widgets
from chat.models import ChatAgent
from chat.profiles import FIELDS, ProfileForm
from helpdesk.conversations.files import path_of
from helpdesk.desk.forms import dress
from helpdesk.desk.pages import AgentRequest, agent_view, settings_page


@require_http_methods(["GET", "POST"])
@agent_view
def profile(request: AgentRequest) -> HttpResponse:
    agent = agents.of(request.user)
    initial = {name: getattr(agent, name) for name in FIELDS}
    given = request.POST if request.method == "POST" else None
    form = ProfileForm(given, initial=initial, use_required_attribute=False)
    for field in form.fields.values():
        dress(field)
    trouble = ""
    if request.method == "POST" and form.is_valid():
        trouble = _save(request, agent, form)
        if not trouble:
            messages.success(request, _("Saved."))
            return redirect("chat:profile")
    context = {
        "form": form,
        "trouble": trouble,
        "picture": reverse("chat:own_picture") if agent.picture else "",
        "shown_name": widgets.public_name(agent),
        "side": pictures.LARGEST_SIDE,
    }
    is_bad = bool(trouble) or (form.is_bound and not form.is_valid())
    return settings_page(request, "chat_profile", "chat_profile", status=422 if is_bad else 200, **context)


def _save(request: AgentRequest, agent: ChatAgent, form: ProfileForm) -> str:
    """Keep it; what is wrong with the picture, empty where nothing is."""
    values = {name: form.cleaned_data[name] for name in FIELDS}
    given = request.FILES.get("picture")
    if isinstance(given, UploadedFile):
        try:
            values["picture"] = pictures.keep_picture(given.read(pictures.LARGEST_BYTES + 1))
        except pictures.NoPicture:
            return _("Choose a square PNG of at most %(side)s pixels a side.") % {"side": pictures.LARGEST_SIDE}
    elif "no_picture" in request.POST:
        values["picture"] = ""
    profiles.save(agent, values)
    return ""


@require_http_methods(["GET", "HEAD"])
@agent_view
def own_picture(request: AgentRequest) -> HttpResponse:
    """One's own picture, shown to customers or not."""
    digest = ChatAgent.objects.filter(user=request.user).values_list("picture", flat=True).first()
    if not digest:
        raise Http404
    with default_storage.open(path_of(digest)) as stored:
        response = HttpResponse(stored.read(), content_type="image/png")
    response["X-Content-Type-Options"] = "nosniff"
    return response
