"""Articles in the desk: found by the palette, beside a conversation, put into a reply, made of a conversation."""

from datetime import datetime

import pytest

from helpdesk.conversations import actions as conversations
from helpdesk.conversations import undoing
from helpdesk.conversations.models import Conversation
from helpdesk.customers.models import Team, User
from knowledge import using
from knowledge.models import Article, Remark, Used
from tests.fixtures.company import Company
from tests.fixtures.desk import logged_in, write
from tests.fixtures.mailing import settle
from tests.knowledge.conftest import Library
from tickets.desk.models import Draft

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture
def asked(company: Company, at: datetime) -> Conversation:
    return write(company.carol, at, subject="A zebra", text="Where is the publicword of my zebra?")


def test_the_palette_finds_articles_and_opens_them_above_a_conversation(
    library: Library, company: Company, asked: Conversation
) -> None:
    client = logged_in(company.grace)
    plain = client.get("/desk/palette/", {"q": "zebra"}).content.decode()
    for one in (library.public, library.internal, library.draft):
        assert f'href="/desk/kb/{one.pk}/"' in plain
    above = client.get("/desk/palette/", {"q": "internalword", "here": str(asked.pk)}).content.decode()
    assert f'href="/desk/kb/{library.internal.pk}/reading/?conversation={asked.pk}" data-layer' in above
    for typed in ("#zebra", "ze"):
        assert "/desk/kb/" not in client.get("/desk/palette/", {"q": typed}).content.decode()
    shown = client.get(f"/desk/kb/{library.internal.pk}/reading/", {"conversation": asked.pk}).content.decode()
    assert "Insert text" in shown and "Insert link" not in shown


def test_the_slash_menu_has_articles_below_canned_replies(
    library: Library, company: Company, asked: Conversation
) -> None:
    def offered(user: User, here: int = asked.pk) -> list[str]:
        found = logged_in(user).get("/desk/canned/", {"q": "zebra", "here": str(here)}).json()["results"]
        return [one["name"] for one in found if "use" in one]

    assert {"Zebra publicword", "Zebra internalword"} <= set(offered(company.grace))
    assert "Zebra draftword" not in offered(company.grace)
    team = Team.objects.create(name="Closed", is_private=True)
    Conversation.objects.filter(pk=asked.pk).update(team=team)
    assert offered(company.grace) == offered(company.grace, 0) == []


def test_a_public_article_goes_in_as_a_link_or_as_text_an_internal_one_as_text_alone(
    library: Library, company: Company, asked: Conversation
) -> None:
    client = logged_in(company.grace)

    def inserted(article: Article, how: str) -> tuple[int, str]:
        said = {"conversation": asked.pk, "as": how}
        answer = client.post(f"/desk/kb/{article.pk}/insertion/", said, headers=JSON)
        return answer.status_code, answer.json().get("text", "")

    status, text = inserted(library.public, "")
    assert status == 200 and text.startswith("[Zebra publicword](http") and "/kb/en/zebra-publicword/)" in text
    assert inserted(library.public, "text") == (200, "**Zebra publicword**\n\nAll of a zebra's publicword.")
    assert inserted(library.internal, "")[1].startswith("**Zebra internalword**")
    for article, how in (
        (library.internal, "link"),
        (library.acme, "link"),
        (library.draft, "text"),
        (library.public, "x"),
    ):
        assert inserted(article, how) == (422, "")
    assert Used.objects.count() == 3


def test_without_a_script_it_is_appended_to_the_draft(library: Library, company: Company, asked: Conversation) -> None:
    client = logged_in(company.grace)
    for how in ("text", "link"):
        said = {"conversation": asked.pk, "as": how}
        answer = client.post(f"/desk/kb/{library.public.pk}/insertion/", said)
        assert answer.status_code == 302 and answer["Location"] == f"/desk/conversations/{asked.pk}/"
    first, second = Draft.objects.get(user=company.grace).text.split("\n\n[")
    assert first.startswith("**Zebra publicword**") and second.startswith("Zebra publicword](")


def test_used_is_what_left_in_a_reply(library: Library, company: Company, asked: Conversation, at: datetime) -> None:
    for article in (library.public, library.internal):
        using.note_used(article, "en", asked, company.grace, at=at)
    text = using.insertion(library.public, asked).text
    message = conversations.reply(asked.pk, company.grace, f"Hello!\n\n{text}", at=at, not_before=at.replace(hour=23))
    settle(at)
    assert [(row.article, row.message) for row in Used.objects.all()] == [(library.public, message)]
    assert (using.uses(library.public), using.uses(library.internal)) == (1, 0)

    # Taken back it is a draft again, and counts once that has left.
    undoing.take_back(message.pk, company.grace, at=at)
    assert using.uses(library.public) == 0
    again = conversations.reply(asked.pk, company.grace, text, at=at)
    settle(at)
    assert Used.objects.get().message == again


def test_beside_a_conversation_stand_three_at_most_and_no_drafts(
    library: Library, company: Company, asked: Conversation
) -> None:
    client = logged_in(company.grace)
    page = client.get(f"/desk/conversations/{asked.pk}/").content.decode()
    assert f'hx-get="/desk/kb/beside/{asked.pk}/" hx-trigger="intersect once"' in page
    part = client.get(f"/desk/kb/beside/{asked.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert part.count("<li>") == 3 and "Zebra publicword" in part and "draftword" not in part
    assert "<html" not in part and "<html" in client.get(f"/desk/kb/beside/{asked.pk}/").content.decode()

    said = {"conversation": asked.pk, "text": "The port is wrong."}
    noted = client.post(f"/desk/kb/{library.public.pk}/remarks/beside/", said, headers={"HX-Request": "true"})
    assert "needs work" in noted.content.decode()
    assert Remark.objects.get().conversation == asked
    Conversation.objects.filter(pk=asked.pk).update(team=Team.objects.create(name="Closed", is_private=True))
    assert client.get(f"/desk/kb/beside/{asked.pk}/").status_code == 404
    for path in ("insertion/", "remarks/beside/"):
        assert client.post(f"/desk/kb/{library.public.pk}/{path}", said).status_code == 404


def test_an_article_made_of_a_conversation_names_nobody(company: Company, at: datetime) -> None:
    company.carol.name = "Carol Meyer"
    company.carol.save()
    text = "I am Carol Meyer, call +49 30 1234567 or carol@acme.example. My password is hunter22!\nSSH fails."
    asked = write(company.carol, at, subject="SSH of carol@acme.example", text=text)
    conversations.reply(asked.pk, company.grace, "A first guess.", at=at)
    conversations.reply(asked.pk, company.grace, "Hello Carol,\n\nuse port 2222.", at=at)

    form = logged_in(company.grace).get(f"/desk/kb/new/?conversation={asked.pk}").content.decode()

    assert "use port 2222." in form and "SSH fails." in form and "first guess" not in form
    for private in ("Carol", "Meyer", "1234567", "carol@acme.example", "hunter22"):
        written = form[form.index('<form class="kb-write"') : form.index("</form>", form.index("kb-write"))]
        assert private not in written, private
