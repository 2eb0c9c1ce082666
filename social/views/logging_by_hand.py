"""Log a post: what somebody said where nothing is connected, pasted in."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from helpdesk.conversations.visibility import may_see
from helpdesk.desk.pages import AgentRequest, agent_view, page
from social import by_hand
from social.models import Account
from social.views.asked import web_address


class PastedForm(forms.Form):
    """What an agent saw on a network."""

    account = forms.ModelChoiceField(
        Account.objects.filter(is_active=True), label=gettext_lazy("Account"), empty_label=gettext_lazy("Choose one")
    )
    url = forms.CharField(max_length=900, label=gettext_lazy("Address of the post"), required=False)
    handle = forms.CharField(max_length=200, label=gettext_lazy("Who wrote it"))
    text = forms.CharField(max_length=28_000, label=gettext_lazy("What they said"), widget=forms.Textarea)
    at = forms.DateTimeField(
        label=gettext_lazy("When"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    is_public = forms.BooleanField(label=gettext_lazy("Everybody can read it there"), required=False, initial=True)

    def clean_url(self) -> str:
        address = web_address(self.cleaned_data["url"])
        if address is None:
            raise forms.ValidationError(_("Paste the whole address of the post, with https://, or leave it empty."))
        return address

    def clean_handle(self) -> str:
        handle = str(self.cleaned_data["handle"]).strip().lstrip("@").strip()
        if not handle:
            raise forms.ValidationError(_("Say who wrote it: their handle."))
        return handle

    def pasted(self, at: datetime) -> by_hand.Pasted:
        """Call after is_valid()."""
        said = self.cleaned_data
        when = said["at"] or at
        return by_hand.Pasted(said["url"], said["handle"], said["text"], when, is_public=said["is_public"])


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def log(request: AgentRequest) -> HttpResponse:
    """GET is the form; POST files the post and leads to its conversation."""
    at = now()
    form = PastedForm(request.POST or None, initial={"at": timezone.localtime(at).strftime("%Y-%m-%dT%H:%M")})
    if request.method == "POST" and form.is_valid():
        try:
            thread = by_hand.log(form.cleaned_data["account"], form.pasted(at), request.user, at=at)
        except by_hand.CannotLog as error:
            form.add_error(None, _("It was not filed: %(why)s.") % {"why": error})
        else:
            messages.success(request, _("Filed. Answer here, then post it there by hand."))
            # The account's team may be private.
            if may_see(request.user, thread.pk):
                return redirect("tickets:conversation", thread.pk)
            return redirect("social:log")
    return page(request, "social_log.jinja", status=422 if form.errors else 200, form=form)
