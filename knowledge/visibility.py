"""Which articles somebody may read. Every way to an article goes through here: pages, search, feeds, files, API,
suggestions.
"""

from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from helpdesk.customers.models import Customer
from knowledge.models import Article, Translation, Visibility

# In SQL, for statements written by hand: the table `article`, and %(organization)s and %(plan)s of who asks (null for
# nobody).
READABLE_SQL: Final = f"""
(article.visibility = '{Visibility.PUBLIC}' AND (NOT article.is_limited
    OR EXISTS (SELECT 1 FROM {Article.organizations.through._meta.db_table} AS limited
               WHERE limited.article_id = article.id AND limited.organization_id = %(organization)s::bigint)
    OR EXISTS (SELECT 1 FROM {Article.plans.through._meta.db_table} AS limited
               WHERE limited.article_id = article.id AND limited.plan_id = %(plan)s::bigint)))
"""


def limits_of(customer: Customer | None) -> dict[str, int | None]:
    """What READABLE_SQL asks for."""
    organization = customer.organization if customer is not None else None
    return {
        "organization": organization.pk if organization else None,
        "plan": organization.plan_id if organization else None,
    }


def readable(customer: Customer | None) -> Q:
    """The articles that this reader may see; None is anybody."""
    found = Q(is_limited=False)
    if customer is not None and customer.organization is not None:
        organizations = Article.organizations.through.objects.filter(
            article=OuterRef("pk"), organization=customer.organization_id
        )
        plans = Article.plans.through.objects.filter(article=OuterRef("pk"), plan=customer.organization.plan_id)
        found |= Q(Exists(organizations)) | Q(Exists(plans))
    return Q(visibility=Visibility.PUBLIC) & found


def readable_articles(customer: Customer | None) -> QuerySet[Article]:
    """All of them."""
    return Article.objects.filter(readable(customer))


def readable_translations(customer: Customer | None) -> QuerySet[Translation]:
    """The translations of articles that this reader may see."""
    return Translation.objects.filter(article__in=readable_articles(customer))
