"""The last resort on the command line."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from tests.people.conftest import is_in, log_in, set_up_app

pytestmark = pytest.mark.django_db


def test_an_admin_without_phone_and_codes_comes_in_again(grace_in: Client) -> None:
    set_up_app(grace_in)
    said = StringIO()

    call_command("reset_login", "Grace@demo.example", stdout=said)

    assert "password alone" in said.getvalue() and not Authenticator.objects.exists()
    assert not is_in(grace_in)
    assert log_in(Client(), "grace@demo.example")["Location"] == "/desk/"


def test_of_nobody_nothing_is_reset(grace_in: Client) -> None:
    with pytest.raises(CommandError, match="no agent"):
        call_command("reset_login", "nobody@demo.example")
