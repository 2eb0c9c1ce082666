"""Guides: trees of questions that end in an article, or in a ticket that is half written."""

from django.db import models
from django.db.models import F, Q

from knowledge.models.articles import LONGEST_SLUG, Article, Category, Visibility


class Guide(models.Model):
    """A troubleshooter. `titles` and `about` are texts by language."""

    slug = models.SlugField(max_length=LONGEST_SLUG, unique=True)
    category = models.ForeignKey(Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="guides")
    titles = models.JSONField(default=dict)
    about = models.JSONField(default=dict, blank=True)
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.DRAFT)
    position = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return str(self.titles.get("en") or next(iter(self.titles.values()), self.slug))


class Step(models.Model):
    """A question with the answers that lead on (its children), an article, or a ticket. `answers` is what the reader
    chose on the step before to come here; `texts` what stands here. All texts are by language.
    """

    class Kind(models.TextChoices):
        QUESTION = "question"
        ARTICLE = "article"
        TICKET = "ticket"

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="steps")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.QUESTION)
    answers = models.JSONField(default=dict, blank=True)
    texts = models.JSONField(default=dict, blank=True)
    article = models.ForeignKey(Article, on_delete=models.PROTECT, null=True, blank=True, related_name="steps")
    subjects = models.JSONField(default=dict, blank=True, help_text="The ticket's subject, by language.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["guide"], condition=Q(parent=None), name="one_first_step_a_guide"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="step_is_not_its_own_parent"),
            models.CheckConstraint(
                condition=~Q(kind="article") | Q(article__isnull=False), name="article_step_has_article"
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.pk} of guide {self.guide_id}"
