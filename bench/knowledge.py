"""knowledge: search and suggestions among 20,000 articles beside a bare look-up by index, a vote among a million beside
a bare update, and a kept page beside the same page as a file that the same server sends.
"""

import random
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from django.db import connection
from django.utils import timezone

from bench import ground
from bench.children import answers, child, free_port, wait_until
from bench.http_load import rate
from bench.rounds import Contender, Row, Sample, compare
from bench.sizes import Sizes
from helpdesk import limits
from knowledge import searching, suggesting, voting
from knowledge.models import Article, Translation, Vote

CONNECTIONS = 8
AIM_SEARCH_MS, AIM_SUGGEST_MS = 50, 80
LANGUAGES = ("en", "en", "en", "de", "fr")
_ROOTS = ("ka", "lo", "mi", "re", "tu", "sa", "po", "ne", "vi", "du", "ber", "sten", "gra", "lin", "mor", "tal")
_KNOWN = ("domain", "certificate", "mailbox", "backup", "website", "server", "password", "invoice", "php", "dns")
_QUERIES = (
    "certificate",
    "certifcate renewl",
    "my mailbox does not take mails any more since yesterday",
    "dns domain",
    "how do I restore a backup of one website",
    "pasword",
    "kalomi",
    "server",
    "invoce for php",
    "tusapo nevi",
)
_GZIP = "Accept-Encoding: gzip\r\n"


def run(sizes: Sizes) -> Iterator[Row]:
    connection.close()
    ground.fresh()
    articles, votes, searches = sizes.of(20_000, 4_000), 50 * sizes.of(20_000, 4_000), sizes.of(400, 100)
    fill(articles, votes, timezone.now())
    bare = Contender(lambda _number: _timed(_look_up, searches))
    found = Contender(lambda _number: _timed(_search, searches))
    yield Row("search, 20,000 articles", "ms", compare({"ours": found, "bare": bare}), AIM_SEARCH_MS, aims_p95=True)
    typed = Contender(lambda _number: _timed(_suggest, searches))
    yield Row("suggestion while typing", "ms", compare({"ours": typed, "bare": bare}), AIM_SUGGEST_MS, aims_p95=True)
    cast, upsert = Contender(lambda _number: _timed(_vote, searches)), Contender(lambda _n: _timed(_upsert, searches))
    yield Row("vote among a million", "ms", compare({"ours": cast, "bare": upsert}))
    slug = Translation.objects.filter(language="en").values_list("slug", flat=True)[0]
    connection.close()
    yield _page(f"/kb/en/{slug}/", sizes.of(40_000, 8_000))


def fill(articles: int, votes: int, at: datetime) -> None:
    """Articles of some 250 words of a vocabulary as uneven as a language's, and their votes."""
    chance = random.Random(7)
    vocabulary = [*_KNOWN, *("".join(chance.choices(_ROOTS, k=chance.randint(2, 4))) for _ in range(20_000))]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    words = chance.choices(vocabulary, weights, k=400_000)
    rows = Article.objects.bulk_create(
        (
            Article(visibility="public", published_at=at, created_at=at, updated_at=at, position=number)
            for number in range(articles)
        ),
        batch_size=2_000,
    )
    Translation.objects.bulk_create(
        (_translation(row, number, words, chance, at) for number, row in enumerate(rows)), batch_size=500
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Vote._meta.db_table} (article_id, voter, is_helpful, at)"
            f" SELECT id, md5(n::text), n %% 4 > 0, %s FROM {Article._meta.db_table}, generate_series(1, %s) AS n",
            [at, votes // articles],
        )
        cursor.execute("ANALYZE")


def _translation(row: Article, number: int, words: list[str], chance: random.Random, at: datetime) -> Translation:
    start = chance.randrange(len(words) - 300)
    title, body = " ".join(words[start : start + 6]), " ".join(words[start : start + 250])
    return Translation(
        article=row, language=LANGUAGES[number % len(LANGUAGES)], title=title, slug=f"article-{number}", body=body,
        html=f"<p>{body}</p>", plain=body, is_open=True, created_at=at, updated_at=at,
    )  # fmt: skip


def _timed(operation: Callable[[int], object], count: int) -> Sample:
    taken = []
    for number in range(count):
        began = time.perf_counter()
        operation(number)
        taken.append((time.perf_counter() - began) * 1000)
    return Sample(median(taken), count, p95=sorted(taken)[int(count * 0.95)])


def _search(number: int) -> object:
    return searching.for_reader(_QUERIES[number % len(_QUERIES)], "en", None)


def _suggest(number: int) -> object:
    """A burst: what is asked for while the words are being typed."""
    query = _QUERIES[number % len(_QUERIES)]
    return suggesting.to_customer(query[: 4 + number % len(query)], "en", None)


def _look_up(number: int) -> object:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, title FROM {Translation._meta.db_table} WHERE words @@ to_tsquery('simple', %s) LIMIT 10",
            [_QUERIES[number % len(_QUERIES)].split()[0]],
        )
        return cursor.fetchall()


def _vote(number: int) -> object:
    limits.forget()
    article = Article(pk=Article.objects.values_list("pk", flat=True)[number % 100])
    return voting.vote(article, f"{time.perf_counter_ns():x}"[:32], True, network="bench", at=timezone.now())


def _upsert(number: int) -> object:
    pk = Article.objects.values_list("pk", flat=True)[number % 100]
    with connection.cursor() as cursor:
        return cursor.execute(f"UPDATE {Article._meta.db_table} SET helpful = helpful + 1 WHERE id = %s", [pk])


def _page(path: str, count: int) -> Row:
    ours, plain = free_port(), free_port()
    with (
        TemporaryDirectory() as folder,
        child(_serving(ours, "helpdesk.asgi:application"), PORT=str(ours)) as first,
    ):
        wait_until(lambda: _is_up(ours, path), "the server's start")
        file = Path(folder, "article.html")
        with urllib.request.urlopen(f"http://127.0.0.1:{ours}{path}") as answer:
            file.write_bytes(answer.read())
        static = [*_serving(plain, "bench.status_servers:static_file"), "--factory"]
        with child(static, BENCH_FILE=str(file)) as second:
            wait_until(lambda: _is_up(plain, "/"), "the server's start")
            kept = Contender(lambda _number: _sample(ours, path, count), processes=(first.pid,))
            floor = Contender(lambda _number: _sample(plain, path, count), processes=(second.pid,))
            return Row("article, kept", "requests/s", compare({"ours": kept, "bare": floor}))


def _sample(port: int, path: str, count: int) -> Sample:
    return Sample(rate(port, path, connections=CONNECTIONS, count=count, headers=_GZIP), count)


def _is_up(port: int, path: str) -> bool:
    return answers(port, f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode(), rb"HTTP/1\.[01] 200")


def _serving(port: int, application: str) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", str(port)]
    return ["-m", "uvicorn", application, *where, "--no-access-log", "--lifespan", "off", "--log-level", "error"]
