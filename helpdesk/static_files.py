"""How scripts, styles and pictures are served: under names that hold their digest, compressed, kept for ever."""

from functools import cache

from django.contrib.staticfiles.storage import staticfiles_storage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Rewrites the imports of ES modules as well, so that a module never loads another version's neighbour."""

    support_js_module_import_aggregation = True


@cache
def build() -> str:
    """Which version of the scripts and styles this process hands out; empty where their names hold no digest."""
    return str(getattr(staticfiles_storage, "manifest_hash", ""))
