"""How scripts, styles and pictures are served: under names that hold their digest, compressed, kept for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Rewrites the imports of ES modules as well, so that a module never loads another version's neighbour."""

    support_js_module_import_aggregation = True
