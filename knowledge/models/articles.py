"""Articles, in a tree of categories, in several languages, with every version that was ever saved."""

import secrets
from typing import Final

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
LONGEST_TITLE: Final = 200
LONGEST_SLUG: Final = 120


def new_public_id() -> str:
    """Twelve of a-z and 0-9; nobody guesses one."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


class Visibility(models.TextChoices):
    DRAFT = "draft"
    INTERNAL = "internal"
    PUBLIC = "public"


class KnowledgeBase(models.Model):
    """One row. `version` rises with every change that readers may see; whoever keeps rendered pages compares it."""

    version = models.PositiveBigIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_knowledge_base")]

    def __str__(self) -> str:
        return f"knowledge base, version {self.version}"


class Category(models.Model):
    """Articles lie in categories, those in others. `names` and `about` are texts by language: {"en": "Mail"}."""

    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    slug = models.SlugField(max_length=LONGEST_SLUG, unique=True)
    names = models.JSONField(default=dict)
    about = models.JSONField(default=dict, blank=True)
    icon = models.CharField(max_length=40, blank=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "categories"
        constraints = [models.CheckConstraint(condition=~Q(parent=F("id")), name="category_is_not_its_own_parent")]

    def __str__(self) -> str:
        return str(self.names.get("en") or next(iter(self.names.values()), self.slug))


class Article(models.Model):
    """What its translations have in common. `is_limited` says that only customers of its organizations and plans read
    it. The counts are kept: of votes by a trigger, of the others by what changes them.
    """

    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, blank=True, related_name="articles")
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.DRAFT)
    is_limited = models.BooleanField(default=False)
    organizations = models.ManyToManyField("helpdesk.Organization", related_name="+", blank=True)
    plans = models.ManyToManyField("helpdesk.Plan", related_name="+", blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    position = models.PositiveIntegerField(default=0)
    takes_comments = models.BooleanField(default=True)
    helpful = models.PositiveIntegerField(default=0)
    unhelpful = models.PositiveIntegerField(default=0)
    comment_count = models.PositiveIntegerField(default=0)
    views = models.PositiveBigIntegerField(default=0)
    needs_work = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True, help_text="When it first became public.")
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(visibility="public") | Q(published_at__isnull=False), name="public_article_was_published"
            )
        ]
        indexes = [
            models.Index(F("category"), F("position"), F("id"), name="articles_of_category"),
            models.Index(F("updated_at").desc(), F("id").desc(), name="articles_by_change"),
            models.Index(F("helpful").desc(), F("id"), condition=Q(visibility="public"), name="articles_by_use"),
            models.Index(fields=["needs_work"], condition=Q(needs_work__gt=0), name="articles_need_work"),
        ]

    def __str__(self) -> str:
        return f"article {self.pk}"


class Translation(models.Model):
    """An article in one language. `html` is made of `body` (Markdown) when that is saved, and is safe; `plain` is its
    text alone. `is_open` says that anybody may read it, and is kept by `knowledge.articles`; whoever decides who may
    see an article asks `knowledge.visibility`, not this.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="translations")
    language = models.CharField(max_length=10)
    title = models.CharField(max_length=LONGEST_TITLE)
    slug = models.SlugField(max_length=LONGEST_SLUG)
    summary = models.CharField(max_length=300, blank=True)
    keywords = models.CharField(max_length=300, blank=True, help_text="Words that people search it by.")
    body = models.TextField(blank=True)
    html = models.TextField(blank=True)
    plain = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    is_open = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # Functions of migration 0001: of title and keywords alone, and of everything.
    heading_words = models.GeneratedField(
        expression=Func(F("language"), F("title"), F("keywords"), function="knowledge_heading"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    words = models.GeneratedField(
        expression=Func(F("language"), F("title"), F("keywords"), F("plain"), function="knowledge_words"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["article", "language"]
        constraints = [
            models.UniqueConstraint(fields=["article", "language"], name="one_translation_a_language"),
            models.UniqueConstraint(fields=["language", "slug"], name="one_article_a_slug"),
        ]
        indexes = [
            GinIndex(fields=["heading_words"], name="translation_heading"),
            GinIndex(fields=["words"], name="translation_words"),
        ]

    def __str__(self) -> str:
        return self.title


class KnownWord(models.Model):
    """A word that stands in a heading; triggers write them. Mistyped words are compared with these."""

    word = models.CharField(max_length=40, primary_key=True)

    def __str__(self) -> str:
        return self.word


class Version(models.Model):
    """A translation as it was saved; never changed (trigger), gone only with its article."""

    translation = models.ForeignKey(Translation, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=LONGEST_TITLE)
    summary = models.CharField(max_length=300, blank=True)
    keywords = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    restored_from = models.PositiveIntegerField(null=True, blank=True)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["translation", "number"], name="version_numbers_of_translation")]

    def __str__(self) -> str:
        return f"version {self.number} of translation {self.translation_id}"


class Redirect(models.Model):
    """An address that a translation once had, so that links to it still lead there."""

    language = models.CharField(max_length=10)
    slug = models.SlugField(max_length=LONGEST_SLUG)
    translation = models.ForeignKey(Translation, on_delete=models.CASCADE, related_name="redirects")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["language", "slug"], name="one_redirect_a_slug")]

    def __str__(self) -> str:
        return f"{self.language}/{self.slug} → {self.translation_id}"


class ArticleFile(models.Model):
    """A picture in an article or a file to take along. Its bytes lie where attachments do
    (`helpdesk.conversations.files`); who may read the article may read it.
    """

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=160)
    content_type = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["article", "sha256", "name"], name="file_lies_once_in_article")]

    def __str__(self) -> str:
        return self.name
