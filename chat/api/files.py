"""Files: sent ahead of the message that names them, and shown to those whom a link was made for."""

from typing import Any, Final

from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.http import content_disposition_header
from django.utils.text import format_lazy
from django.utils.timezone import now
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from chat import limits, visitor_log, welcome
from chat.api.access import Refused, VisitorRequest, visitor_view, within
from chat.models import Upload
from helpdesk.conversations.content_types import sniff
from helpdesk.conversations.filenames import safe_name
from helpdesk.conversations.files import keep, path_of
from helpdesk.conversations.models import Attachment

# As long as a mail's link back.
LINK_SECONDS: Final = 30 * 86400
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# What runs when it is opened is no answer to a question.
REFUSED: Final = (
    *(".exe", ".msi", ".bat", ".cmd", ".com", ".scr", ".pif", ".ps1", ".vbs", ".js", ".jse", ".wsf", ".hta", ".jar"),
    *(".apk", ".app", ".dmg", ".lnk", ".reg", ".cpl", ".iso", ".img"),
)
REFUSED_TYPES: Final = frozenset({"application/x-msdownload", "application/x-dosexec", "application/x-executable"})


@visitor_view("POST")
def upload(request: VisitorRequest) -> HttpResponse:
    """One file, as multipart `file`; its id is named by the message that follows."""
    within(limits.UPLOADS_OF_VISIT, str(request.visit.pk))
    given = _file_in(request)
    if given.size is None or given.size > welcome.MOST_BYTES:
        detail = format_lazy(
            gettext_lazy("A file may have {most} MB at most."), most=welcome.MOST_BYTES // 1024 // 1024
        )
        raise Refused(413, "size", detail, most=welcome.MOST_BYTES)
    content = given.read()
    name = safe_name(given.name or "", "file")
    kind = sniff(content, name, given.content_type or "")
    if name.lower().endswith(REFUSED) or kind in REFUSED_TYPES:
        raise Refused(415, "type", format_lazy(gettext_lazy("Files like {name} cannot be sent here."), name=name))
    row = Upload.objects.create(
        visit=request.visit, name=name, content_type=kind, size=len(content), sha256=keep(content), at=now()
    )
    return JsonResponse({"id": str(row.public_id), "name": name, "type": kind, "size": row.size}, status=201)


def _file_in(request: HttpRequest) -> "UploadedFile[Any]":
    """What was sent as `file`. Raises Refused."""
    try:
        given = request.FILES.get("file")
    except (MultiPartParserError, SuspiciousOperation):
        # Cut, without a boundary, with names of kilobytes or hundreds of parts.
        raise Refused(400, "file", "That is no multipart/form-data, or has too many parts.") from None
    if not isinstance(given, UploadedFile):
        raise Refused(422, "file", "Send one file as multipart/form-data, in the field file.")
    return given


@require_safe
def file(request: HttpRequest, token: str) -> FileResponse | HttpResponse:
    """A file of a chat, by a signed link: pictures are shown, everything else is saved."""
    try:
        pk = signing.loads(token, salt=visitor_log.FILE_SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        raise Http404("this link is not ours, or too old") from None
    found = Attachment.objects.filter(pk=pk).first()
    if found is None:
        raise Http404("the file is gone")
    is_picture = found.content_type in PICTURES
    kind = found.content_type if is_picture else "application/octet-stream"
    response = FileResponse(default_storage.open(path_of(found.sha256)), content_type=kind)
    disposition = content_disposition_header(not is_picture, found.name)
    response["Content-Disposition"] = disposition or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "same-site"
    return response
