"""`/api/v1/articles/` and `/api/v1/categories/`."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from knowledge.models import Article
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.knowledge.conftest import Library

pytestmark = pytest.mark.django_db
AT = "/api/v1/articles/"


def send(client: Client, method: str, path: str, data: Any = None) -> Any:
    return client.generic(method, path, json.dumps(data or {}), content_type="application/json")


def test_written_published_found_renamed_restored(company: Company) -> None:
    client = logged_in(company.grace)
    made = send(
        client, "POST", AT, {"title": "Moving a domain", "body": "Unlock it **first**.", "visibility": "public"}
    )
    assert made.status_code == 201, made.content
    article = made.json()
    assert article["html"] == "<p>Unlock it <strong>first</strong>.</p>\n" and article["version"] == 1
    assert article["url"].endswith("/kb/en/moving-a-domain/") and article["languages"] == ["en"]
    one = f"{AT}{article['id']}/"
    german = send(client, "PATCH", one, {"language": "de", "title": "Domain umziehen", "body": "Erst entsperren."})
    assert german.json()["language"] == "de" and german.json()["languages"] == ["de", "en"]
    assert send(client, "PATCH", one, {"language": "fr", "body": "x"}).status_code == 400
    assert send(client, "PATCH", one, {"title": "Taking a domain along", "version": 1}).json()["version"] == 2
    late = send(client, "PATCH", one, {"body": "Late.", "version": 1})
    assert late.status_code == 409 and "version 2" in late.json()["detail"]
    moved = Client().get("/kb/en/moving-a-domain/")
    assert (moved.status_code, moved["Location"]) == (301, "/kb/en/taking-a-domain-along/")
    assert [one["number"] for one in client.get(f"{one}versions/").json()["results"]] == [2, 1]
    assert send(client, "POST", f"{one}versions/1/restoring/").json()["title"] == "Moving a domain"
    found = client.get(AT, {"q": "domian unlok", "language": "de"}).json()["results"]
    assert [row["id"] for row in found] == [article["id"]] and found[0]["title"] == "Domain umziehen"
    assert (
        client.get(AT, {"missing": "fr"}).json()["results"] and not client.get(AT, {"missing": "de"}).json()["results"]
    )


def test_who_may(library: Library, company: Company) -> None:
    viewer = logged_in(User.objects.create_user("vera@demo.example", name="Vera", role=User.Role.VIEWER))
    one = f"{AT}{library.internal.pk}/"
    new = {"title": "T", "body": "B"}
    assert {Client().get(path).status_code for path in (AT, one, f"{one}versions/", f"{one}files/")} == {401}
    assert viewer.get(one).json()["title"] == "Zebra internalword"
    sent = [send(viewer, *call) for call in (("POST", AT, new), ("PATCH", one, new), ("DELETE", one))]
    assert {answer.status_code for answer in sent} == {403}
    assert send(logged_in(company.grace), "DELETE", one).status_code == 403
    assert send(logged_in(company.grace), "POST", "/api/v1/categories/", {"names": {"en": "X"}}).status_code == 403
    assert send(logged_in(company.ada), "DELETE", one).status_code == 204
    assert not Article.objects.filter(pk=library.internal.pk).exists()


def test_lists_are_keyset_pages(library: Library, company: Company) -> None:
    client = logged_in(company.grace)
    first = client.get(AT, {"page_size": 2}).json()
    second = client.get(first["next"]).json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == 4
    assert [row["id"] for row in client.get(AT, {"visibility": "draft"}).json()["results"]] == [library.draft.pk]
    assert {client.get(AT, given).status_code for given in ({"language": "tlh"}, {"visibility": "x"})} == {400}


def test_a_list_costs_the_same_for_one_and_for_many(
    library: Library, company: Company, django_assert_max_num_queries: Any
) -> None:
    client = logged_in(company.grace)
    with django_assert_max_num_queries(8):
        assert len(client.get(AT).json()["results"]) == 5


def test_what_cannot_be_is_refused(company: Company) -> None:
    client = logged_in(company.grace)
    for wrong in (
        {"body": "no title"}, {"title": "  ", "body": ""}, {"title": "x" * 201, "body": ""},
        {"title": "T", "body": "x" * 100_001}, {"title": "T", "body": "", "visibility": "secret"},
        {"title": "T", "body": "", "language": "tlh"}, {"title": "T", "body": "", "category": "nowhere"},
        {"title": "T", "body": "", "plans": ["nothing"]}, {"title": "T", "body": "", "slug": "Ä b"},
    ):  # fmt: skip
        answer = send(client, "POST", AT, wrong)
        assert answer.status_code == 400, (wrong, answer.content)
    assert not Article.objects.exists()


def test_files(library: Library, company: Company) -> None:
    client, path = logged_in(company.grace), f"{AT}{library.public.pk}/files/"
    made = client.post(path, {"file": SimpleUploadedFile("shot [1].gif", b"GIF89a\x01\x00\x01\x00")})
    assert made.status_code == 201, made.content
    assert (
        made.json()["markdown"].startswith("![shot (1).gif](/kb/files/") and made.json()["content_type"] == "image/gif"
    )
    assert len(client.get(path).json()["results"]) == 1
    assert client.post(path, {}).status_code == 400
    assert send(client, "DELETE", f"{path}{made.json()['id']}/").status_code == 204
    assert send(client, "DELETE", f"{path}{made.json()['id']}/").status_code == 404


def test_categories_are_a_tree(company: Company) -> None:
    client, path = logged_in(company.ada), "/api/v1/categories/"
    top = send(client, "POST", path, {"names": {"en": "Mail", "de": "Post"}}).json()
    below = send(client, "POST", path, {"names": {"en": "Mail"}, "parent": top["id"]}).json()
    assert (top["slug"], below["slug"]) == ("mail", "mail-2")
    assert send(client, "PATCH", f"{path}{top['id']}/", {"parent": below["id"]}).status_code == 400
    assert send(client, "POST", path, {"names": {}}).status_code == 400
    assert send(client, "POST", path, {"names": {"tlh": "x"}}).status_code == 400
    assert send(client, "DELETE", f"{path}{top['id']}/").status_code == 409
    made = send(client, "POST", AT, {"title": "T", "body": "B", "category": "mail-2", "visibility": "public"})
    assert made.json()["category"] == below["id"]
    assert "1 article" in Client().get("/kb/en/c/mail/").content.decode()


def test_what_may_answer_a_conversation(library: Library, company: Company, at: datetime) -> None:
    conversation = write(company.carol, at, subject="My zebra has no internalword", text="What now?")
    client = logged_in(company.linus)
    found = [row["id"] for row in client.get(AT, {"conversation": conversation.pk}).json()["results"]]
    assert found[0] == library.internal.pk and library.draft.pk not in found
    assert {client.get(AT, {"conversation": one}).status_code for one in ("0", "x", "9" * 30)} == {404}
    Conversation.objects.filter(pk=conversation.pk).update(team=Team.objects.create(name="Board", is_private=True))
    assert client.get(AT, {"conversation": conversation.pk}).status_code == 404
