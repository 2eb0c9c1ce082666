"""The API describes itself, for programs and for people."""

import re

import pytest
from django.core.management import call_command
from django.test import Client

from tests.api.conftest import Caller


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
