"""`/api/v1/articles/`: what we teach our customers, and each other."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.conf import settings
from django.db import transaction
from django.db.models import Case, QuerySet, When
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, mixins, viewsets
from rest_framework.exceptions import APIException, NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.uploads import files_of
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers import audit
from helpdesk.customers.api_configured import Configured
from helpdesk.customers.api_fields import ID
from helpdesk.customers.api_multipart import BoundedMultiPartParser
from helpdesk.customers.pagination import KeysetPagination
from helpdesk.customers.permissions import agent_of
from helpdesk.numbers import is_number
from knowledge import articles, categories, files, permissions, searching, suggesting
from knowledge.api.shapes import (
    LANGUAGES,
    TEXT_FIELDS,
    ArticleSerializer,
    CategorySerializer,
    FileSerializer,
    VersionSerializer,
    WrittenSerializer,
    text_of,
)
from knowledge.models import Article, ArticleFile, Category, Translation, Version, Visibility
from knowledge.refusals import Overtaken, Refused

MOST_FOUND = 50


class Conflict(APIException):
    status_code = 409
    default_code = "conflict"


class ArticleFilters(django_filters.FilterSet):  # type: ignore[misc]
    visibility = django_filters.ChoiceFilter(choices=Visibility.choices)
    category = django_filters.NumberFilter(field_name="category_id")
    needs_work = django_filters.BooleanFilter(method="filter_needs_work")
    missing = django_filters.ChoiceFilter(
        choices=settings.LANGUAGES, method="filter_missing", help_text="Not translated into this language yet."
    )

    def filter_needs_work(self, rows: QuerySet[Article], _name: str, value: bool) -> QuerySet[Article]:
        return rows.filter(needs_work__gt=0) if value else rows.filter(needs_work=0)

    def filter_missing(self, rows: QuerySet[Article], _name: str, value: str) -> QuerySet[Article]:
        return rows.exclude(translations__language=value)


def rows() -> QuerySet[Article]:
    """Articles with what the API shows of them, in a bounded number of statements."""
    return Article.objects.select_related("author").prefetch_related("translations", "organizations", "plans")


def one(article_id: int | str) -> Article:
    """Raises NotFound."""
    found = rows().filter(pk=article_id).first()
    if found is None:
        raise NotFound("There is no such article.")
    return found


def language_of(request: Request) -> str:
    """The language asked for; "" where none was. Raises ValidationError."""
    asked = request.query_params.get("language", "")
    if asked and asked not in LANGUAGES:
        raise ValidationError({"language": ["There is no such language."]})
    return asked


class ArticleViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Article]):
    """Articles, newest first; with `q` the best first. Agents read all of them, drafts included, and write."""

    queryset = Article.objects.all()
    serializer_class = ArticleSerializer
    filterset_class = ArticleFilters
    pagination_class = KeysetPagination
    lookup_value_regex = ID

    def get_queryset(self) -> QuerySet[Article]:
        return rows()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "language": language_of(self.request)}

    @extend_schema(
        parameters=[
            OpenApiParameter("q", str, description=f"Words to search; the {MOST_FOUND} best, with typos forgiven."),
            OpenApiParameter("conversation", int, description="The best for this conversation; no drafts."),
            OpenApiParameter("language", str, enum=LANGUAGES),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All, what `q` finds, or what may answer a `conversation`."""
        asked_for = language_of(request)
        query, conversation = (request.query_params.get(name, "").strip() for name in ("q", "conversation"))
        if conversation:
            return self._best([one.id for one in suggesting.to_agent(self._conversation(conversation), asked_for)])
        if not query:
            return super().list(request, *args, **kwargs)
        found = searching.for_agent(query, asked_for or settings.LANGUAGE_CODE, most=MOST_FOUND, excerpts=False)
        return self._best([hit.article_id for hit in found.hits])

    def _conversation(self, given: str) -> Conversation:
        seen = visible_conversations(agent_of(self.request)).select_related("customer")
        found = seen.filter(pk=int(given)).first() if is_number(given) else None
        if found is None:
            raise NotFound("There is no such conversation.")
        return found

    def _best(self, order: Sequence[int]) -> Response:
        by_score = Case(*(When(pk=pk, then=place) for place, pk in enumerate(order)), default=len(order))
        chosen = self.filter_queryset(self.get_queryset()).filter(pk__in=order).order_by(by_score)
        results = self.get_serializer(chosen, many=True).data
        return Response({"next": None, "previous": None, "results": results})

    def answer(self, article_id: int, language: str, status: int = 200) -> Response:
        context = {**self.get_serializer_context(), "language": language}
        return Response(ArticleSerializer(one(article_id), context=context).data, status=status)

    @extend_schema(request=WrittenSerializer, responses={201: ArticleSerializer})
    def create(self, request: Request) -> Response:
        """Write an article: a draft unless `visibility` says otherwise."""
        given = WrittenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values, user = given.validated_data, agent_of(request)
        try:
            made = articles.create(
                text_of(values, None, values["language"]),
                visibility=values["visibility"],
                category=values.get("category"),
                organizations=values.get("organizations", ()),
                plans=values.get("plans", ()),
                author=user,
                at=timezone.now(),
            )
        except Refused as error:
            raise ValidationError({"detail": str(error)}) from error
        return self.answer(made.pk, values["language"], 201)

    @extend_schema(request=WrittenSerializer(partial=True), responses={200: ArticleSerializer})
    @transaction.atomic
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change it, or write it in a further `language`. Every change of the text is a version."""
        given = WrittenSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        values, article, at = dict(given.validated_data), one(pk), timezone.now()
        shown = ArticleSerializer(context={"language": values.get("language")}).shown(article)
        language = values.pop("language", shown.language)
        try:
            if any(name in values for name in TEXT_FIELDS):
                self._write(article, values, language)
            common = {name: values[name] for name in articles.CHANGEABLE & values.keys()}
            limits = {name: values.get(name) for name in ("organizations", "plans")}
            if common or any(some is not None for some in limits.values()):
                articles.change(article, common, **limits, at=at)
        except Overtaken as error:
            raise Conflict(f"{error} Theirs is version {error.current}.") from error
        except Refused as error:
            raise ValidationError({"detail": str(error)}) from error
        return self.answer(article.pk, language)

    def _write(self, article: Article, values: dict[str, Any], language: str) -> None:
        before = article.translations.filter(language=language).first()
        if before is None and "title" not in values:
            raise ValidationError({"title": ["A new translation needs a title."]})
        text = text_of(values, before, language)
        articles.write(article, text, author=agent_of(self.request), at=timezone.now(), base=values.get("version"))

    @transaction.atomic
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it for good, with its versions, votes and comments. Admins only; others make it a draft."""
        if not permissions.may_remove(request.user):
            raise PermissionDenied("Only admins remove articles; make it a draft instead.")
        article, at = one(pk), timezone.now()
        before = dict(ArticleSerializer(article, context={}).data)
        articles.remove(article, at=at)
        audit.record(agent_of(request).pk, "deleted", article, before, {}, at=at, thing_id=int(pk))
        return Response(status=204)


class Versions(generics.ListAPIView[Version]):
    """Every save of an article in one language (`?language=de`), the newest first."""

    serializer_class = VersionSerializer
    queryset = Version.objects.none()

    class pagination_class(KeysetPagination):
        ordering = "-id"

    def get_queryset(self) -> QuerySet[Version]:
        translation = _translation(self.kwargs["article_id"], language_of(self.request))
        return translation.versions.select_related("author")


class Restoring(APIView):
    """An older version becomes the newest."""

    @extend_schema(request=None, responses={200: ArticleSerializer})
    def post(self, request: Request, article_id: int, number: int) -> Response:
        """Restore the version of this number."""
        translation = _translation(article_id, language_of(request))
        try:
            articles.restore(translation, number, author=agent_of(request), at=timezone.now())
        except Version.DoesNotExist as error:
            raise NotFound("There is no such version.") from error
        context = {"language": translation.language}
        return Response(ArticleSerializer(one(article_id), context=context).data)


class Files(generics.ListAPIView[ArticleFile]):
    """An article's pictures and files."""

    serializer_class = FileSerializer
    queryset = ArticleFile.objects.none()
    parser_classes = [BoundedMultiPartParser]

    def get_queryset(self) -> QuerySet[ArticleFile]:
        return one(self.kwargs["article_id"]).files.all()

    @extend_schema(
        request={
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        },
        responses={201: FileSerializer},
    )
    def post(self, request: Request, article_id: int) -> Response:
        """Add a file; put its `markdown` into the text to show it."""
        article, given = one(article_id), files_of(request.FILES.getlist("file")[:1])
        if not given:
            raise ValidationError({"file": ["Send a file."]})
        try:
            made = files.add(article, given[0], by=agent_of(request), at=timezone.now())
        except Refused as error:
            raise ValidationError({"file": [str(error)]}) from error
        return Response(FileSerializer(made).data, status=201)


class OneFile(APIView):
    """One file of an article."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, article_id: int, file_id: str) -> Response:
        """Take it out of the article."""
        found = one(article_id).files.filter(public_id=file_id).first()
        if found is None:
            raise NotFound("There is no such file.")
        files.remove(found, at=timezone.now())
        return Response(status=204)


class CategoryViewSet(Configured):
    """The tree that articles lie in. Admins write."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    pagination_class = KeysetPagination

    def write(self, serializer: BaseSerializer[Any]) -> None:
        try:
            serializer.instance = categories.save(serializer.instance, serializer.validated_data, at=timezone.now())
        except Refused as error:
            raise ValidationError({"detail": str(error)}) from error

    def remove(self, instance: Category) -> None:
        categories.remove(instance, at=timezone.now())


def _translation(article_id: int, language: str) -> Translation:
    shown: Translation = ArticleSerializer(context={"language": language}).shown(one(article_id))
    if language and shown.language != language:
        raise NotFound("It is not translated into this language.")
    return shown
