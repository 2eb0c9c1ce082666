"""What a hosting company's knowledge base begins with: something to look at on a first start, and to write on from."""

from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import transaction

from helpdesk.customers.models import User
from knowledge import articles, categories, guides
from knowledge.articles import Text
from knowledge.models import Article, Category, Step, Visibility

FOLDER: Final = Path(__file__).parent / "starter"
_CATEGORIES: Final = (
    ("domains", "globe", {"en": "Domains and DNS", "de": "Domains und DNS"}, {"en": "Pointing, moving, renewing."}),
    ("websites", "layout-grid", {"en": "Websites", "de": "Websites"}, {"en": "PHP, HTTPS, backups, and getting in."}),
    ("mail", "mail", {"en": "Mail", "de": "E-Mail"}, {"en": "Setting up, sending, and not landing in spam."}),
    ("account", "users", {"en": "Support and plans", "de": "Support und Tarife"}, {"en": "What you can expect of us."}),
)
_ORDER: Final = ("dns", "mail-setup", "mail-limits", "ssl", "backups", "ssh", "php", "support", "status", "on-call")


@transaction.atomic
def load(author: User | None, *, at: datetime) -> None:
    """Categories, articles and a guide, in a knowledge base that has none."""
    made = {
        slug: categories.save(
            None, {"slug": slug, "icon": icon, "names": names, "about": about, "position": place * 10}, at=at
        )
        for place, (slug, icon, names, about) in enumerate(_CATEGORIES, start=1)
    }
    written = {name: _write(name, made, author, at) for name in _ORDER}
    _guide(written, at)


def _write(name: str, made: dict[str, Category], author: User | None, at: datetime) -> Article:
    text, given = _read(f"{name}.en.md", "en")
    visibility = given.get("visibility", Visibility.PUBLIC)
    article = articles.create(text, visibility=visibility, category=made[given["category"]], author=author, at=at)
    for path in sorted(FOLDER.glob(f"{name}.*.md")):
        language = path.name.split(".")[1]
        if language != "en":
            articles.write(article, _read(path.name, language)[0], author=author, at=at)
    return article


def _read(name: str, language: str) -> tuple[Text, dict[str, str]]:
    """A file: its title, lines of particulars, then the text."""
    title, particulars, body = (FOLDER / name).read_text().split("\n\n", 2)
    given = dict(line.split(": ", 1) for line in particulars.splitlines())
    text = Text(title.removeprefix("# "), body, language, given.get("summary", ""), given.get("keywords", ""))
    return text, given


def _guide(written: dict[str, Article], at: datetime) -> None:
    guide = guides.save(
        None,
        {
            "titles": {"en": "My website does not open", "de": "Meine Website öffnet sich nicht"},
            "about": {"en": "Four questions, and you know why."},
            "visibility": Visibility.PUBLIC,
        },
        at=at,
    )
    first = guide.steps.get(parent=None)
    texts = {"en": "What do you see?", "de": "Was sehen Sie?"}
    guides.save_step(guide, first, None, {"texts": texts}, at=at)
    ends = (
        ({"en": "“Not secure”, or a warning about a certificate"}, "ssl"),
        ({"en": "“Server not found”, or another website"}, "dns"),
        ({"en": "A white page, or “500”"}, "php"),
        ({"en": "It loads and loads, and nothing comes"}, "status"),
    )
    for place, (answer, name) in enumerate(ends):
        given = {"answers": answer, "kind": Step.Kind.ARTICLE, "article": written[name], "position": place}
        guides.save_step(guide, None, first, given, at=at)
    ticket = {
        "answers": {"en": "Something else"},
        "kind": Step.Kind.TICKET,
        "subjects": {"en": "My website does not open"},
        "position": 9,
    }
    guides.save_step(guide, None, first, ticket, at=at)
