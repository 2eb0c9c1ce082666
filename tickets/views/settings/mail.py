"""Mailboxes and where their mail is fetched from; blocked and suspended addresses."""

import socket
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from imapclient.exceptions import IMAPClientError

from helpdesk.conversations.models import Priority
from helpdesk.customers.models import Team, User
from helpdesk.desk import fields
from helpdesk.desk.areas import Area, Row
from helpdesk.desk.forms import Refused, SerialForm, SettingsForm
from helpdesk.events.secrets import SecretUnreadable
from tickets.api_settings import ImapAccountSerializer, MailboxSerializer
from tickets.desk import blocking
from tickets.desk.models import BlockedSender
from tickets.desk.wording import labels
from tickets.mail import imap, mailbox_editing
from tickets.models import ImapAccount, Mailbox, SuspendedAddress
from tickets.views.access import AgentRequest
from tickets.views.settings import generic


class MailboxForm(SerialForm):
    serializer = MailboxSerializer
    sections = (
        (gettext_lazy("Address"), ("address", "name", "aliases")),
        (gettext_lazy("What comes in"), ("team", "priority", "is_default")),
        (gettext_lazy("What goes out"), ("signature",)),
    )
    address = forms.EmailField(max_length=320, label=gettext_lazy("Address"))
    name = forms.CharField(
        max_length=120, label=gettext_lazy("Sender's name"), help_text=gettext_lazy("What customers see in their mail.")
    )
    aliases = fields.LinesField(
        required=False,
        label=gettext_lazy("Also reached as"),
        help_text=gettext_lazy("Other addresses, one a line. Keep an old one here: customers go on writing to it."),
    )
    team = forms.ModelChoiceField(
        Team.objects.all(), required=False, label=gettext_lazy("Goes to"), empty_label=gettext_lazy("No team")
    )
    priority = forms.ChoiceField(choices=[], initial=Priority.NORMAL, label=gettext_lazy("Priority"))
    signature = forms.CharField(
        required=False,
        max_length=10_000,
        label=gettext_lazy("Signature"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Stands under every reply from here."),
    )
    is_default = forms.BooleanField(
        required=False,
        label=gettext_lazy("Default mailbox"),
        help_text=gettext_lazy("Answers where no other mailbox is concerned."),
    )

    def arrange(self) -> None:
        field = self.fields["priority"]
        assert isinstance(field, forms.ChoiceField)
        names = labels(None)["priority"]
        field.choices = [(code, names[code]) for code in Priority.values]


class Mailboxes(Area):
    key, model, form = "mailboxes", Mailbox, MailboxForm
    order = ("address",)
    add_words = gettext_lazy("Add mailbox")
    empty = (
        gettext_lazy("No mailbox yet"),
        gettext_lazy("An address of yours, such as support@company.example. Mail to it becomes conversations."),
    )
    remove_words = gettext_lazy("Its accounts are no longer fetched from. Mail that is filed stays.")
    template = "settings/mailbox.jinja"

    def rows(self, user: User) -> QuerySet[Mailbox]:
        return Mailbox.objects.select_related("team").prefetch_related("imap_accounts")

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [(_("Default"), "acc")] if found.is_default else []
        accounts = found.imap_accounts.all()
        if any(account.error for account in accounts):
            marks.append((_("Cannot be fetched"), "bad"))
        team = found.team.name if found.team else _("No team")
        fetched = ngettext("%(count)s account fetched", "%(count)s accounts fetched", len(accounts))
        meta = [found.name, team, fetched % {"count": len(accounts)} if accounts else ""]
        return Row(found.pk, found.address, " · ".join(filter(None, meta)), marks, "mail")

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse("tickets:settings_mailboxes_edit", args=[found.pk]) if "_new" in _here(request) else ""

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        return {"accounts": list(found.imap_accounts.order_by("pk")) if found else []}

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        try:
            mailbox_editing.remove_mailbox(found)
        except mailbox_editing.Refused as error:
            raise Refused(_("Make another mailbox the default one first.")) from error

    def more_routes(self) -> Iterable[URLPattern]:
        base = "desk/settings/accounts/"
        yield path(f"{base}<int:pk>/test/", generic.guarded(self, _test), name="settings_accounts_test")


def _here(request: HttpRequest) -> str:
    return request.resolver_match.url_name or "" if request.resolver_match else ""


class AccountForm(SerialForm):
    serializer = ImapAccountSerializer
    sections = (
        (gettext_lazy("Server"), ("mailbox", "host", "port", "use_tls")),
        (gettext_lazy("Login"), ("username", "secret", "folder")),
        ("", ("is_active",)),
    )
    mailbox = forms.ModelChoiceField(Mailbox.objects.all(), label=gettext_lazy("Mailbox"))
    host = forms.CharField(max_length=253, label=gettext_lazy("IMAP server"))
    port = forms.IntegerField(min_value=1, max_value=65_535, initial=993, label=gettext_lazy("Port"))
    use_tls = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Encrypted (TLS)"))
    username = forms.CharField(max_length=320, label=gettext_lazy("User name"))
    secret = forms.CharField(
        max_length=1_000,
        strip=False,
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Stored encrypted and never shown."),
    )
    folder = forms.CharField(max_length=200, initial="INBOX", label=gettext_lazy("Folder"))
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("Fetch mail"),
        help_text=gettext_lazy("Mail stays on the server as it is: nothing is deleted or marked there."),
    )

    def arrange(self) -> None:
        if self.found is not None:
            # Another place has other mail under the same numbers: it would be another account.
            for name in mailbox_editing.FIXED:
                self.fields[name].disabled = True
            self.fields["secret"].required = False
            self.fields["secret"].help_text = _("Leave it empty to keep the one that is stored.")

    def payload(self) -> dict[str, Any]:
        given = super().payload()
        if not given["secret"]:
            del given["secret"]
        return given

    def clean(self) -> dict[str, Any]:
        # A stored password that is kept is no part of what the serializer is given.
        if self.found is not None and not self.cleaned_data.get("secret"):
            self._checked = self.serializer(
                self.found,
                data={**self.payload(), "host": self.found.host} if not self.errors else {},
                partial=True,
                context={"request": self.request},
            )
            if not self.errors and not self._checked.is_valid():
                self.take_errors(self._checked.errors)
            return self.cleaned_data
        return super().clean()


class Accounts(Area):
    """Reached from its mailbox: no list of its own in the menu."""

    key, model, form = "accounts", ImapAccount, AccountForm
    order = ("id",)
    add_words = gettext_lazy("Add account")
    empty = (gettext_lazy("No account yet"), gettext_lazy("A folder on an IMAP server that mail is fetched from."))
    remove_words = gettext_lazy("Mail is no longer fetched from there. What is filed stays, and so does what is there.")
    template = "settings/account.jinja"

    def rows(self, user: User) -> QuerySet[ImapAccount]:
        return ImapAccount.objects.select_related("mailbox")

    def row(self, found: Any, user: User) -> Row:
        marks: list[tuple[Any, str]] = [(_("Cannot be fetched"), "bad")] if found.error else []
        return Row(found.pk, str(found), found.error[:200] or str(found.mailbox), marks, "server")

    def saved(self, request: HttpRequest, found: Any) -> str:
        return reverse("tickets:settings_accounts_edit", args=[found.pk])

    def removed(self, found: Any) -> str:
        return reverse("tickets:settings_mailboxes_edit", args=[found.mailbox_id])


ACCOUNTS = Accounts()
MAILBOXES = Mailboxes()


@require_POST
def _test(request: AgentRequest, pk: int) -> HttpResponse:
    """Log in and open the folder, read-only; say what came of it."""
    account = generic.row_or_404(ACCOUNTS, request, pk)
    try:
        with imap.connected(account) as (client, _uid_validity):
            count = client.folder_status(account.folder, ["MESSAGES"])[b"MESSAGES"]
    except (IMAPClientError, OSError, SecretUnreadable, ValueError, KeyError, socket.gaierror) as error:
        messages.error(request, _("It does not work: %s") % imap.words(error)[:300])
    else:
        said = ngettext("It works: %(count)s mail is there.", "It works: %(count)s mails are there.", count)
        messages.success(request, said % {"count": count})
    return redirect("tickets:settings_accounts_edit", pk)


class BlockedForm(SettingsForm):
    handle = forms.CharField(
        max_length=320,
        label=gettext_lazy("Address or domain"),
        help_text=gettext_lazy("An address, or @domain for everybody there."),
    )
    why = forms.CharField(required=False, max_length=300, label=gettext_lazy("Why"))

    def arrange(self) -> None:
        self.fields["handle"].disabled = self.found is not None

    def clean_handle(self) -> str:
        try:
            handle = blocking.cleaned(str(self.cleaned_data["handle"]))
        except blocking.CannotBlock as error:
            raise forms.ValidationError(str(error)) from error
        if self.found is None and BlockedSender.objects.filter(handle=handle).exists():
            raise forms.ValidationError(_("This sender is blocked already."))
        return handle

    def write(self, *, at: datetime) -> BlockedSender:
        user, why = self.request.user, self.cleaned_data["why"]
        assert isinstance(user, User), "admin_view"
        if self.found is not None:
            return blocking.say_why(self.found, why, user, at=at)
        return blocking.block(self.cleaned_data["handle"], user, why, at=at)


class Blocked(Area):
    key, model, form = "blocked", BlockedSender, BlockedForm
    order = ("handle",)
    searches = ("handle", "why")
    is_noted_here = False
    add_words = gettext_lazy("Block a sender")
    empty = (
        gettext_lazy("Nobody is blocked"),
        gettext_lazy("Mail of a blocked sender is kept in the ledger, but opens nothing and is answered nothing."),
    )
    remove_words = gettext_lazy("Their mail opens conversations again. What was blocked can be filed from the ledger.")

    def rows(self, user: User) -> QuerySet[BlockedSender]:
        return BlockedSender.objects.select_related("by")

    def row(self, found: Any, user: User) -> Row:
        by = _("by %s") % found.by if found.by else ""
        return Row(found.pk, found.handle, " · ".join(filter(None, [found.why, by])), [], "ban")

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        blocking.unblock(found, user, at=at)


class Suspended(Area):
    """Nothing to write: the address is suspended by its bounces, and lifted by hand."""

    key, model, form = "suspended", SuspendedAddress, SettingsForm
    order = ("address",)
    searches = ("address",)
    adds = edits = False
    empty = (
        gettext_lazy("No address is suspended"),
        gettext_lazy("After mail bounced for good we stop writing there for a while. Such addresses appear here."),
    )
    remove_words = gettext_lazy("We write there again, and its bounces are forgotten.")

    def rows(self, user: User) -> QuerySet[SuspendedAddress]:
        return SuspendedAddress.objects.filter(until__gt=now())

    def row(self, found: Any, user: User) -> Row:
        return Row(found.pk, found.address, found.reason, [(_("until %s") % f"{found.until:%Y-%m-%d}", "warn")], "mail")

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        mailbox_editing.lift_suspension(found, user, at=at)


AREAS = (MAILBOXES, Blocked(), Suspended())
HIDDEN = (ACCOUNTS,)
