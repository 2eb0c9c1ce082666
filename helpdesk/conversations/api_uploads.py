"""A message with files, as the API takes it: the same limits as the forms have."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from helpdesk.conversations.serializers import MAX_TEXT, NewMessageSerializer
from helpdesk.conversations.uploads import MOST_BYTES, MOST_FILES


class NewMessageWithFilesSerializer(NewMessageSerializer):
    """An answer or a note with files, sent as multipart/form-data; with a file the text may be empty."""

    text = serializers.CharField(  # type: ignore[assignment]
        max_length=MAX_TEXT, trim_whitespace=False, allow_blank=True, required=False, default=""
    )
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        max_length=MOST_FILES,
        required=False,
        default=list,
        help_text=f"At most {MOST_FILES} files, together at most {MOST_BYTES // 1024 // 1024} MB.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["text"].strip() and not attrs["files"]:
            raise serializers.ValidationError({"text": [_("Write something or add a file.")]})
        if sum(upload.size for upload in attrs["files"]) > MOST_BYTES:
            size = MOST_BYTES // 1024 // 1024
            raise serializers.ValidationError(
                {"files": [_("Together the files may have %(size)s MB.") % {"size": size}]}
            )
        return attrs
