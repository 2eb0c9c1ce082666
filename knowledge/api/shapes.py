"""Articles as the API shows and takes them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from helpdesk.customers.api_fields import IdOrName
from helpdesk.customers.models import Organization, Plan
from knowledge import addresses, bodies
from knowledge.articles import Text
from knowledge.models import Article, ArticleFile, Category, Translation, Version, Visibility
from knowledge.models.articles import LONGEST_SLUG, LONGEST_TITLE

LANGUAGES = [code for code, _name in settings.LANGUAGES]
TEXT_FIELDS = ("title", "body", "summary", "keywords", "slug")


class Texts(serializers.DictField):
    """Texts by language: {"en": "Mail", "de": "E-Mail"}."""

    def __init__(self, *, longest: int, **options: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=longest, allow_blank=True), **options)

    def to_internal_value(self, data: Any) -> Any:
        texts = super().to_internal_value(data)
        if unknown := set(texts) - set(LANGUAGES):
            raise serializers.ValidationError(f"There is no language {min(map(str, unknown))[:20]}.")
        return {language: words.strip() for language, words in texts.items() if words.strip()}


class CategorySerializer(serializers.ModelSerializer[Category]):
    """A category of articles; `names` and `about` are texts by language."""

    names = Texts(longest=120)
    about = Texts(longest=500, required=False)
    slug = serializers.SlugField(max_length=LONGEST_SLUG, required=False)

    class Meta:
        model = Category
        fields = ["id", "parent", "slug", "names", "about", "icon", "position"]

    def validate_names(self, names: dict[str, str]) -> dict[str, str]:
        if not names:
            raise serializers.ValidationError("Give it a name in at least one language.")
        return names


class WrittenSerializer(serializers.Serializer[Any]):
    """What is given of an article, all of it or some. `version` is the one that was edited: another's newer one is not
    overwritten then.
    """

    title = serializers.CharField(max_length=LONGEST_TITLE)
    body = serializers.CharField(max_length=bodies.MOST_CHARACTERS, allow_blank=True, trim_whitespace=False)
    language = serializers.ChoiceField(choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    summary = serializers.CharField(max_length=300, allow_blank=True, required=False)
    keywords = serializers.CharField(max_length=300, allow_blank=True, required=False)
    slug = serializers.SlugField(max_length=LONGEST_SLUG, required=False)
    version = serializers.IntegerField(min_value=1, required=False)
    visibility = serializers.ChoiceField(choices=Visibility.choices, default=Visibility.DRAFT)
    category = IdOrName(name_field="slug", queryset=Category.objects.all(), required=False, allow_null=True)
    organizations = IdOrName(name_field="name", queryset=Organization.objects.all(), many=True, required=False)
    plans = IdOrName(name_field="name", queryset=Plan.objects.all(), many=True, required=False)
    position = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False)
    takes_comments = serializers.BooleanField(required=False)


def text_of(given: Mapping[str, Any], before: Translation | None, language: str) -> Text:
    """The text as it is to be: what was given, and what stood there before. `body` alone may be missing of neither."""
    stood = {name: getattr(before, name) for name in TEXT_FIELDS[:-1]} if before else {}
    return Text(
        **{"body": "", **stood, **{name: given[name] for name in TEXT_FIELDS if name in given}}, language=language
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Article",
            value={
                "title": "Moving a domain",
                "body": "Unlock it **first**.",
                "visibility": "public",
                "category": "domains",
            },
            request_only=True,
        )
    ]
)
class ArticleSerializer(serializers.ModelSerializer[Article]):
    """An article in one language: the one that was asked for (`?language=de`) where there is such a translation."""

    title = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()
    html = serializers.SerializerMethodField()
    summary = serializers.SerializerMethodField()
    keywords = serializers.SerializerMethodField()
    language = serializers.SerializerMethodField()
    languages = serializers.SerializerMethodField()
    slug = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    author = serializers.CharField(source="author.name", default="", read_only=True)
    comments = serializers.IntegerField(source="comment_count", read_only=True)

    class Meta:
        model = Article
        fields = [
            "id", "title", "body", "html", "summary", "keywords", "language", "languages", "slug", "version", "url",
            "category", "visibility", "organizations", "plans", "author", "position", "takes_comments", "helpful",
            "unhelpful", "comments", "views", "needs_work", "created_at", "published_at", "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar[list[str]] = ["helpful", "unhelpful", "views", "needs_work", "created_at"]

    def shown(self, article: Article) -> Translation:
        """Of its translations the one in the language asked for, else the default language's, else the oldest."""
        wanted = (self.context.get("language"), settings.LANGUAGE_CODE)
        rows = sorted(article.translations.all(), key=lambda row: row.pk)
        for code in wanted:
            for row in rows:
                if row.language == code:
                    return row
        return rows[0]

    def get_title(self, article: Article) -> str:
        return self.shown(article).title

    def get_body(self, article: Article) -> str:
        return self.shown(article).body

    def get_html(self, article: Article) -> str:
        return self.shown(article).html

    def get_summary(self, article: Article) -> str:
        return self.shown(article).summary

    def get_keywords(self, article: Article) -> str:
        return self.shown(article).keywords

    def get_language(self, article: Article) -> str:
        return self.shown(article).language

    def get_languages(self, article: Article) -> list[str]:
        return sorted(row.language for row in article.translations.all())

    def get_slug(self, article: Article) -> str:
        return self.shown(article).slug

    def get_version(self, article: Article) -> int:
        return self.shown(article).version

    def get_url(self, article: Article) -> str:
        return addresses.absolute(addresses.article(self.shown(article)))


class VersionSerializer(serializers.ModelSerializer[Version]):
    """One save, as it was."""

    author = serializers.CharField(source="author.name", default="", read_only=True)

    class Meta:
        model = Version
        fields = ["number", "title", "summary", "keywords", "body", "author", "restored_from", "saved_at"]


class FileSerializer(serializers.ModelSerializer[ArticleFile]):
    """A file of an article; `markdown` is how it is put into the text."""

    id = serializers.CharField(source="public_id", read_only=True)
    url = serializers.SerializerMethodField()
    markdown = serializers.SerializerMethodField()

    class Meta:
        model = ArticleFile
        fields = ["id", "name", "content_type", "size", "sha256", "url", "markdown", "added_at"]

    def get_url(self, one: ArticleFile) -> str:
        return addresses.absolute(addresses.file(one))

    @extend_schema_field(str)
    def get_markdown(self, one: ArticleFile) -> str:
        return addresses.markdown(one)
