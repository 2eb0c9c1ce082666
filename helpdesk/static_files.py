"""How scripts, styles and pictures are served: under names that hold their digest, compressed, kept for ever."""

from functools import cache
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Rewrites the imports of ES modules as well, so that a module never loads another version's neighbour."""

    support_js_module_import_aggregation = True

    def _save(self, name: str, content: Any) -> Any:
        # What customers' pages load.
        if name.startswith("chat/") and name.endswith(".js"):
            # Whoever made its digest has read it to the end.
            content.seek(0)
            content = ContentFile(without_comments(content.read().decode()).encode())
        return super()._save(name, content)


def without_comments(script: str) -> str:
    """A script without its indentation and the lines that are comments: these stay at home. No text of the script may
    go over several lines and have such ones.
    """
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@cache
def build() -> str:
    """Which version of the scripts and styles this process hands out; empty where their names hold no digest."""
    return str(getattr(staticfiles_storage, "manifest_hash", ""))
