"""Who reads what: over every page, file, feed and answer that there is, for strangers, customers and agents."""

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.conversations.channel import File
from helpdesk.customers import sessions
from helpdesk.customers.models import Customer, CustomerSession, Plan, User
from knowledge import articles, files, permissions, searching, suggesting, using
from knowledge.articles import Text
from knowledge.models import Article
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in
from tests.knowledge.conftest import WORDS, Library

pytestmark = pytest.mark.django_db

LISTS = (
    "/", "/en/", "/kb/", "/kb/en/", "/kb/en/c/animals/", "/kb/en/feed.atom", "/kb/en/feed.rss", "/kb/sitemap-1.xml",
    "/kb/en/?q=zebra", "/kb/de/?q=zebra",
)  # fmt: skip
# Those whose answer is the same for everybody, signed in or not.
FOR_ALL = ("/kb/en/feed.atom", "/kb/en/feed.rss", "/kb/sitemap-1.xml")


def signed_in(customer: Customer) -> Client:
    client, at = Client(), timezone.now()
    token = "t" * 43
    CustomerSession.objects.create(
        customer=customer, digest=sessions._digest(token), how=CustomerSession.How.values[0], began_at=at, seen_at=at,
        ends_at=at + sessions.LASTS,
    )  # fmt: skip
    client.cookies[sessions.COOKIE] = token
    return client


def told(client: Client, path: str) -> set[str]:
    answer = client.get(path)
    assert answer.status_code == 200, path
    page = answer.content.decode().lower()
    return {name for name, word in WORDS.items() if word in page}


def readable(client: Client, library: Library) -> set[str]:
    found = set()
    for name in WORDS:
        article: Article = getattr(library, name)
        row = article.translations.get()
        codes = {
            client.get(path, follow=True).status_code
            for path in (f"/kb/en/{row.slug}/", f"/kb/fr/{row.slug}/", f"/kb/{article.pk}/")
        }
        assert len(codes) == 1, (name, codes)
        if codes == {200}:
            found.add(name)
    return found


def test_nobody_is_told_of_what_they_may_not_read(library: Library, company: Company) -> None:
    enterprise = Plan.objects.get(name="Enterprise")
    of_plan = Customer.objects.filter(organization__plan=enterprise).first()
    assert of_plan is not None and company.carol.organization != of_plan.organization
    expected: dict[str, tuple[Client, set[str]]] = {
        "stranger": (Client(), {"public"}),
        "carol": (signed_in(company.carol), {"public", "acme"}),
    }
    if company.carol.organization is not None and company.carol.organization.plan == enterprise:
        expected["carol"][1].add("plan")
    for who, (client, may) in expected.items():
        assert readable(client, library) == may, who
        for path in LISTS:
            assert told(client, path) <= ({"public"} if path in FOR_ALL else may), (who, path)
        assert told(client, "/kb/en/c/animals/") == may and told(client, "/kb/en/?q=zebra") == may, who
    CustomerSession.objects.all().delete()
    assert readable(signed_in(of_plan), library) == {"public", "plan"}


def test_files_follow_their_article(library: Library, company: Company) -> None:
    png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x80\x00\x00\x01\xe0"
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    carol, agent, nobody = signed_in(company.carol), logged_in(company.linus), Client()
    for name, expected in (("public", (200, 200, 200)), ("acme", (404, 200, 200)), ("internal", (404, 404, 200))):
        made = files.add(getattr(library, name), File("a b.png", "image/png", png), by=None, at=timezone.now())
        path = f"/kb/files/{made.public_id}/a%20b.png"
        assert tuple(client.get(path).status_code for client in (nobody, carol, agent)) == expected, name
        assert (made.width, made.height) == (640, 480)
    shown = nobody.get(f"/kb/files/{library.public.files.get().public_id}/x.png")
    assert shown["Content-Type"] == "image/png" and "sandbox" in shown["Content-Security-Policy"]
    drawn = files.add(library.public, File("x.svg", "application/xml", svg), by=None, at=timezone.now())
    sent = nobody.get(f"/kb/files/{drawn.public_id}/x.svg")
    assert sent["Content-Type"] == "application/octet-stream" and sent["Content-Disposition"].startswith("attachment")


def test_what_is_written_becomes_closed_at_once(library: Library) -> None:
    articles.change(library.public, {"visibility": "internal"}, at=timezone.now())
    assert readable(Client(), library) == set()
    assert all(not told(Client(), path) for path in LISTS if "/c/" not in path)
    assert Client().get("/kb/en/c/animals/").status_code == 404
    assert searching.for_agent("publicword", "en").count == 1


def test_an_article_is_not_everybodys_because_its_plan_is_gone(library: Library) -> None:
    library.plan.plans.clear()
    articles.write(library.plan, Text("Zebra planword", "New."), author=None, at=timezone.now())
    articles.change(library.plan, {"position": 3}, at=timezone.now())
    assert readable(Client(), library) == {"public"}


def test_limited_articles_move_nobody_nearer(library: Library) -> None:
    """An old address of a closed article leads nobody to the new one."""
    articles.write(library.acme, Text("Renamed acmeword", "Text."), author=None, at=timezone.now())
    assert Client().get("/kb/en/zebra-acmeword/").status_code == 404


def test_votes_and_comments_are_for_who_may_read(library: Library, company: Company) -> None:
    for action in ("vote", "comments", "remarks"):
        path, said = (
            f"/kb/articles/{library.acme.pk}/{action}/",
            {"language": "en", "slug": "zebra-acmeword", "helpful": "1"},
        )
        assert Client().post(path, said).status_code == 404
        assert signed_in(company.carol).post(path, said).status_code in (302, 422)
        CustomerSession.objects.all().delete()


def test_suggestions_to_agents_have_no_drafts_and_to_customers_nothing_closed(
    library: Library, company: Company
) -> None:
    assert {one.id for one in suggesting.to_customer("zebra", "en", None)} == {library.public.pk}
    own = {one.id for one in suggesting.to_customer("zebra", "en", company.carol)}
    assert own >= {library.public.pk, library.acme.pk} and library.internal.pk not in own
    assert not using.may_be_inserted(library.draft) and using.may_be_inserted(library.internal)


def test_roles(company: Company) -> None:
    viewer = User.objects.create_user("vera@demo.example", name="Vera", role=User.Role.VIEWER)
    gone = User.objects.create_user("gone@demo.example", name="Gone", is_active=False)
    matrix = {
        name: tuple(bool(getattr(permissions, name)(user)) for user in (company.ada, company.grace, viewer, gone, None))
        for name in ("may_write", "may_moderate", "may_remark", "may_remove")
    }
    everyone, workers, admins = (True, True, True), (True, True, False), (True, False, False)
    assert matrix == {
        name: (*may, False, False)
        for name, may in {
            "may_write": workers,
            "may_moderate": workers,
            "may_remark": everyone,
            "may_remove": admins,
        }.items()
    }
    article = articles.create(Text("T", "B"), author=None, at=timezone.now())
    desk = f"/desk/kb/{article.pk}/"
    posts = (desk, "/desk/kb/new/", f"{desk}files/", f"{desk}restoring/", "/desk/kb/comments/", "/desk/kb/guides/new/")
    assert [logged_in(viewer).get(path).status_code for path in ("/desk/kb/", desk, "/desk/kb/report/")] == [200] * 3
    assert {logged_in(viewer).post(path, {"title": "x"}).status_code for path in posts} == {403}
    assert logged_in(viewer).post(f"{desk}remarks/", {"text": "Old."}).status_code == 302
    assert logged_in(company.grace).post(f"{desk}deletion/").status_code == 403
    assert {Client().get(path).status_code for path in ("/desk/kb/", desk, "/desk/kb/comments/")} == {302}
    assert logged_in(company.ada).post(f"{desk}deletion/").status_code == 302 and not Article.objects.exists()
