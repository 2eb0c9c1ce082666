"""allauth's forms, with the names our pages have always used and with bounds."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.webauthn import forms as webauthn
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.forms import CharField, HiddenInput, JSONField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.customers.models import User
from helpdesk.people import actions as people

LONGEST_PASSWORD = 1000
LONGEST_NAME = 80
# An attestation with a chain of certificates has some thousand characters.
LONGEST_CREDENTIAL = 50_000


class LoginForm(account.LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].validators.append(MaxLengthValidator(LONGEST_PASSWORD))

    def add_prefix(self, field_name: str) -> str:
        """The field for the address is called `username`, as password managers and scripts know it."""
        return str(super().add_prefix("username" if field_name == "login" else field_name))


class ResetForm(account.ResetPasswordForm):  # type: ignore[misc]
    def clean_email(self) -> str:
        """Not looked up here: known and unknown addresses take the same way, and the same time."""
        return str(self.cleaned_data["email"]).lower()

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        people.ask_for_reset(self.cleaned_data["email"], at=timezone.now())
        return str(self.cleaned_data["email"])


class TokenForm(account.UserTokenForm):  # type: ignore[misc]
    def _get_user(self, uidb36: str) -> User | None:
        """An agent who was removed sets no password any more."""
        found: User | None = super()._get_user(uidb36)
        return found if found is not None and found.is_active else None


class CredentialField(JSONField):
    """What a browser's passkey answered. Anybody may send anything instead, however deep."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=HiddenInput, **kwargs)

    def to_python(self, value: Any) -> Any:
        unreadable = ValidationError(_("This passkey cannot be read. Please try again."))
        if len(str(value)) > LONGEST_CREDENTIAL:
            raise unreadable
        try:
            return super().to_python(value)
        except RecursionError:
            raise unreadable from None


class AddPasskeyForm(webauthn.AddWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"name": _("Passkey"), "passwordless": True, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.fields["name"].validators.append(MaxLengthValidator(LONGEST_NAME))

    def clean_credential(self) -> Any:
        """allauth expects what browsers send; anything else is refused, and no error of ours."""
        credential = self.cleaned_data["credential"]
        try:
            auth.parse_registration_response(credential)
        except (ValueError, KeyError, AttributeError, IndexError) as error:
            raise ValidationError(_("This passkey cannot be read. Please try again.")) from error
        return credential


class AnswerForm(webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()


class PasskeyLoginForm(webauthn.LoginWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()


class ProveForm(webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField()


class RenameForm(webauthn.EditWebAuthnForm):  # type: ignore[misc]
    name = CharField(max_length=LONGEST_NAME)
