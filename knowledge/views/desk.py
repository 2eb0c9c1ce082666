"""The knowledge base in the desk: the list of articles, one article being written, its versions."""

import difflib
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from markupsafe import Markup

from helpdesk.conversations.models import Conversation
from helpdesk.conversations.uploads import files_of
from helpdesk.conversations.visibility import visible_conversations
from helpdesk.customers import audit
from helpdesk.desk.pages import AgentRequest, agent_view, page, viewers_too
from helpdesk.numbers import whole_number
from knowledge import (
    addresses,
    articles,
    bodies,
    commenting,
    drafting,
    files,
    permissions,
    reading,
    remarking,
    searching,
    using,
)
from knowledge.models import Article, Category, Comment, Remark, Translation, Version, Visibility
from knowledge.refusals import Overtaken, Refused
from knowledge.views.asked import ArticleForm
from knowledge.voting import TooMany

A_PAGE: Final = 50
LAST_PAGE: Final = 200
MOST_VERSIONS: Final = 200
MOST_DIFFED: Final = 5_000


@require_safe
@agent_view
def overview(request: AgentRequest) -> HttpResponse:
    """All articles: by `show` (draft, internal, public, work, missing-LANGUAGE), `category` and words (`q`)."""
    show, query = request.GET.get("show", ""), request.GET.get("q", "").strip()[: searching.LONGEST_QUERY]
    number = whole_number(request.GET.get("page", "")) or 1
    rows = _chosen(Article.objects.select_related("author", "category"), show)
    category = whole_number(request.GET.get("category", ""))
    rows = rows.filter(category=category) if category else rows
    if query:
        order = [hit.article_id for hit in searching.for_agent(query, request.LANGUAGE_CODE, most=200).hits]
        found = sorted(rows.filter(pk__in=order), key=lambda row: order.index(row.pk))
    else:
        start = (min(number, LAST_PAGE) - 1) * A_PAGE
        found = list(rows.order_by("-updated_at", "-pk")[start : start + A_PAGE + 1])
    titles = {one.id: one for one in reading.listed(found[:A_PAGE], request.LANGUAGE_CODE)}
    languages = _languages(found[:A_PAGE])
    return page(
        request,
        "kb.jinja",
        rows=[(row, titles[row.pk], languages.get(row.pk, [])) for row in found[:A_PAGE] if row.pk in titles],
        show=show,
        query=query,
        category=category,
        categories=Category.objects.all(),
        number=number,
        has_more=len(found) > A_PAGE and not query,
        waiting=Comment.objects.filter(state=Comment.State.WAITING)[:1000].count(),
        codes=addresses.CODES,
        may_write=permissions.may_write(request.user),
    )


def _chosen(rows: QuerySet[Article], show: str) -> QuerySet[Article]:
    if show in Visibility.values:
        return rows.filter(visibility=show)
    if show == "work":
        return rows.filter(needs_work__gt=0)
    language = show.removeprefix("missing-")
    return rows.exclude(translations__language=language) if language in addresses.CODES else rows


def _languages(rows: list[Article]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    known = Translation.objects.filter(article__in=[row.pk for row in rows]).order_by("language")
    for pk, language in known.values_list("article", "language"):
        found.setdefault(pk, []).append(language)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def new(request: AgentRequest) -> HttpResponse:
    """A new one; with `conversation` it begins with what was asked and answered there."""
    initial: dict[str, Any] = {
        "language": request.LANGUAGE_CODE,
        "visibility": Visibility.DRAFT,
        "takes_comments": True,
    }
    initial["category"] = whole_number(request.GET.get("category", "")) or None
    conversation = _conversation(request)
    if conversation is not None:
        text = drafting.of_conversation(conversation)
        initial |= {"title": text.title, "body": text.body, "language": text.language}
    form = ArticleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = articles.create(form.text(), author=request.user, at=now(), **form.common())
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("“%s” is kept.") % form.cleaned_data["title"])
            return redirect(f"{reverse('knowledge:kb_article', args=[made.pk])}?language={form.text().language}")
    return _edit(request, None, None, form)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def article(request: AgentRequest, pk: int) -> HttpResponse:
    """One article in one language, to read and to write."""
    row = get_object_or_404(Article.objects.select_related("author", "category"), pk=pk)
    language = request.POST.get("language") or request.GET.get("language", "")
    shown = _shown(row, language)
    form = ArticleForm(request.POST or None, initial=ArticleForm.values(row, shown, language), found=row)
    if request.method == "POST" and form.is_valid():
        base = form.cleaned_data["version"] or None
        try:
            articles.write(row, form.text(), author=request.user, at=now(), base=base if shown else None)
            articles.change(row, form.changes(), **form.limits(), at=now())
        except Overtaken as error:
            words = _("Somebody else has saved version %(number)s meanwhile. Compare, then save again to keep yours.")
            given = request.POST.copy()
            given["version"] = str(error.current)
            form = ArticleForm(given, found=row)
            form.add_error(None, words % {"number": error.current})
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect(f"{reverse('knowledge:kb_article', args=[pk])}?language={form.text().language}")
    return _edit(request, row, shown, form)


def _shown(row: Article, language: str) -> Translation | None:
    """The translation that is edited; None where it is to be written yet."""
    rows = {one.language: one for one in row.translations.select_related("author").order_by("pk")}
    if language in addresses.CODES:
        return rows.get(language)
    return rows.get("en") or next(iter(rows.values()))


def _edit(request: AgentRequest, row: Article | None, shown: Translation | None, form: ArticleForm) -> HttpResponse:
    language = str(form["language"].value())
    body = str(form["body"].value() or "")[: bodies.MOST_CHARACTERS]
    original = row.translations.order_by("pk").first() if row is not None and shown is None else None
    return page(
        request,
        "kb_article.jinja",
        status=422 if form.errors else 200,
        article=row,
        shown=shown,
        original=original,
        form=form,
        problems=form.problems() if form.errors else [],
        language=language,
        preview=Markup(bodies.render(body, files.sizes(row) if row else None, language=language).html),
        translations={one.language: one for one in row.translations.all()} if row else {},
        codes=addresses.CODES,
        names=dict(addresses.NAMES),
        files=[(one, addresses.file(one)) for one in row.files.all()] if row else [],
        remarks=row.remarks.filter(settled_at=None).select_related("agent", "customer") if row else [],
        uses=using.uses(row) if row else 0,
        public_url=addresses.article(shown) if shown and row and row.visibility == Visibility.PUBLIC else "",
        may_write=permissions.may_write(request.user),
        may_remark=permissions.may_remark(request.user),
        may_remove=permissions.may_remove(request.user),
    )


def _conversation(request: AgentRequest) -> Conversation | None:
    pk = whole_number(request.GET.get("conversation", ""))
    return visible_conversations(request.user).select_related("customer").filter(pk=pk).first() if pk else None


@require_POST
@agent_view
def preview(request: AgentRequest) -> HttpResponse:
    """The text as readers will see it, as HTML for the page beside the editor."""
    language = request.POST.get("language", "")
    text = request.POST.get("body", "").replace("\r\n", "\n")[: bodies.MOST_CHARACTERS]
    return HttpResponse(bodies.render(text, language=language if language in addresses.CODES else "en").html)


@require_POST
@agent_view
def add_files(request: AgentRequest, pk: int) -> HttpResponse:
    """Files from the form, or pasted and dropped: as JSON how each is put into the text."""
    row, wants_json = get_object_or_404(Article, pk=pk), "application/json" in request.headers.get("Accept", "")
    made, trouble = [], ""
    try:
        for one in files_of(request.FILES.getlist("files")):
            made.append(files.add(row, one, by=request.user, at=now()))
    except Refused as error:
        trouble = str(error)
    if wants_json:
        told = [{"name": one.name, "markdown": addresses.markdown(one)} for one in made]
        return JsonResponse({"files": told, "detail": trouble}, status=422 if trouble else 201)
    if trouble:
        messages.error(request, trouble)
    return redirect("knowledge:kb_article", pk)


@require_POST
@agent_view
def remove_file(request: AgentRequest, pk: int, public_id: str) -> HttpResponse:
    """The article has it no longer."""
    row = get_object_or_404(Article, pk=pk)
    files.remove(get_object_or_404(row.files, public_id=public_id), at=now())
    return redirect("knowledge:kb_article", pk)


@require_POST
@agent_view
def remove(request: AgentRequest, pk: int) -> HttpResponse:
    """For good, by admins; a translation alone by whoever writes."""
    row, at = get_object_or_404(Article, pk=pk), now()
    language = request.POST.get("language", "")
    if language:
        try:
            articles.remove_translation(get_object_or_404(row.translations, language=language), at=at)
        except Refused as error:
            messages.error(request, str(error))
        return redirect("knowledge:kb_article", pk)
    if not permissions.may_remove(request.user):
        raise PermissionDenied
    return _remove_all(request, row, at)


def _remove_all(request: AgentRequest, row: Article, at: datetime) -> HttpResponse:
    before = {"titles": {one.language: one.title for one in row.translations.all()}, "visibility": row.visibility}
    pk = row.pk
    try:
        with transaction.atomic():
            articles.remove(row, at=at)
            audit.record(request.user.pk, "deleted", row, before, {}, at=at, thing_id=pk)
    except ProtectedError:
        messages.error(request, _("A guide ends in this article. Change the guide first."))
        return redirect("knowledge:kb_article", pk)
    messages.success(request, _("Removed."))
    return redirect("knowledge:kb")


@require_safe
@agent_view
def versions(request: AgentRequest, pk: int) -> HttpResponse:
    """Every save in one language; two of them compared (`from`, `to`), or the newest with the one before it."""
    row = get_object_or_404(Article, pk=pk)
    shown = _shown(row, request.GET.get("language", ""))
    if shown is None:
        raise Http404("it is not translated into this language")
    saved = list(shown.versions.select_related("author")[:MOST_VERSIONS])
    by_number = {one.number: one for one in saved}
    new_one = by_number.get(whole_number(request.GET.get("to", "")), saved[0])
    older = [one for one in saved if one.number < new_one.number]
    old_one = by_number.get(whole_number(request.GET.get("from", "")), older[0] if older else None)
    return page(
        request,
        "kb_versions.jinja",
        article=row,
        shown=shown,
        versions=saved,
        new_one=new_one,
        old_one=old_one,
        lines=difference(old_one, new_one) if old_one else [],
        may_write=permissions.may_write(request.user),
    )


def difference(old: Version, new_one: Version) -> list[tuple[str, str]]:
    """What differs, by lines: "+", "-", " " or "@" (a gap), and the line."""
    before = [old.title, "", *old.body.splitlines()][:MOST_DIFFED]
    after = [new_one.title, "", *new_one.body.splitlines()][:MOST_DIFFED]
    lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    return [(line[:1], line[1:] if line[:1] != "@" else "") for line in lines]


@require_POST
@agent_view
def restore(request: AgentRequest, pk: int) -> HttpResponse:
    """An older version becomes the newest."""
    row = get_object_or_404(Translation, article=pk, language=request.POST.get("language", ""))
    try:
        articles.restore(row, whole_number(request.POST.get("number", "")), author=request.user, at=now())
    except Version.DoesNotExist as error:
        raise Http404("there is no such version") from error
    messages.success(request, _("Restored."))
    return redirect(f"{reverse('knowledge:kb_article', args=[pk])}?language={row.language}")


@require_POST
@viewers_too
def remark(request: AgentRequest, pk: int) -> HttpResponse:
    """This article needs work."""
    row = get_object_or_404(Article, pk=pk)
    try:
        remarking.remark(row, request.POST.get("text", ""), at=now(), agent=request.user)
        messages.success(request, _("Noted: this article needs work."))
    except TooMany:
        messages.error(request, _("Enough is said about it already."))
    return redirect("knowledge:kb_article", pk)


@require_POST
@agent_view
def settle(request: AgentRequest, pk: int, remark_id: int) -> HttpResponse:
    """It has been worked on."""
    remarking.settle(get_object_or_404(Remark, pk=remark_id, article=pk), request.user, at=now())
    return redirect("knowledge:kb_article", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_view
def comments(request: AgentRequest) -> HttpResponse:
    """What readers wrote: what waits, or by `show` what is shown, refused or spam."""
    if request.method == "POST":
        one = get_object_or_404(Comment, pk=whole_number(request.POST.get("comment", "")))
        try:
            commenting.moderate(one, request.POST.get("state", ""), request.user, at=now())
        except ValueError as error:
            raise Http404("there is no such state") from error
        return redirect(f"{reverse('knowledge:kb_comments')}?show={request.POST.get('show', '')[:10]}")
    show = request.GET.get("show", "")
    show = show if show in Comment.State.values else Comment.State.WAITING.value
    rows = list(Comment.objects.filter(state=show).select_related("article", "moderated_by").order_by("-pk")[:A_PAGE])
    titles = {one.id: one for one in reading.listed([row.article for row in rows], request.LANGUAGE_CODE)}
    return page(
        request,
        "kb_comments.jinja",
        rows=[(row, titles.get(row.article_id)) for row in rows],
        show=show,
        states={
            "waiting": _("Waiting"),
            "shown": _("Shown"),
            "refused": _("Refused"),
            "spam": _("Spam"),
        },
        may_moderate=permissions.may_moderate(request.user),
    )
