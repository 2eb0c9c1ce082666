import pytest
from tests.browser.everything import everything, names, NO_PAGES
pytestmark = pytest.mark.django_db
def test_walk(company, at):
    from tests.browser import everything as e
    from tests.tickets.settings.rows import fill
    rows = fill(company.ada, at)
    walks = [e._admin(company, e._work(company, at), rows, at)]
    seen = {n for w in walks for n in w.pages}
    print("MISSING", sorted(names() - seen - NO_PAGES))
    for w in walks:
        for n, u in w.pages.items():
            if "announc" in n or "coverage" in n or "social" in n or "public_topics" in n:
                print(n, u, w.browser.get(u).status_code)
