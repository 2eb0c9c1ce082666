"""The API describes itself, for programs and for people."""

import re

import pytest
from django.core.management import call_command
from django.test import Client

from tests.api.conftest import Caller, documented


def test_the_schema_is_valid_and_without_a_warning(tmp_path: object) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=f"{tmp_path}/schema.yml")


def test_everyone_may_read_the_schema() -> None:
    schema = Client().get("/api/schema/", headers={"Accept": "application/json"}).json()
    assert schema["openapi"].startswith("3.")
    assert {"/api/v1/conversations/", "/api/v1/pages/{id}/acknowledgement/", "/api/v1/oncall/now/"} <= {
        re.sub(r"\{\w+\}", "{id}", path) for path in schema["paths"]
    }


def test_the_pages_name_every_address_and_load_nothing_from_elsewhere() -> None:
    answer = Client().get("/api/docs/")
    page = answer.content.decode()
    schema = Client().get("/api/schema/", headers={"Accept": "application/json"}).json()
    assert answer.status_code == 200 and all(path in page for path in schema["paths"])
    assert "<script" not in page and "style=" not in page and "//" not in page.replace("</", "")
    assert "'self'" in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_schema_knows_what_conversations_hold(grace: Caller) -> None:
    schema = grace("get", "/api/schema/", format="json").json()
    shown = schema["components"]["schemas"]["Conversation"]["properties"]
    assert {"number", "clocks", "organization", "url"} <= set(shown)


@pytest.mark.django_db
def test_refusals_are_in_the_schema(grace: Caller) -> None:
    """Whatever `Caller` is answered with anywhere in these tests has to be there; here, that it looks at all."""
    assert documented("get", grace("get", "/conversations/999/")) == {"200", "401", "403", "404"}
    assert documented("post", grace("post", "/conversations/", {})) == {
        *("200", "201", "400", "401", "403", "409", "413", "415")
    }
    schema = Client().get("/api/schema/", headers={"Accept": "application/json"}).json()
    refusals = schema["components"]["responses"].values()
    assert all(one["description"] and one["content"]["application/json"]["example"] for one in refusals)
