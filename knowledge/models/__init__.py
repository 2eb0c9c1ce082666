"""The knowledge base's own rows: what is written (articles), what readers do with it (readers), and guides."""

from knowledge.models.articles import (
    Article,
    ArticleFile,
    Category,
    KnowledgeBase,
    KnownWord,
    Redirect,
    Translation,
    Version,
    Visibility,
)
from knowledge.models.guides import Guide, Step
from knowledge.models.readers import Comment, Remark, SearchedWords, Suggested, Used, Vote

__all__ = [
    "Article",
    "ArticleFile",
    "Category",
    "Comment",
    "Guide",
    "KnowledgeBase",
    "KnownWord",
    "Redirect",
    "Remark",
    "SearchedWords",
    "Step",
    "Suggested",
    "Translation",
    "Used",
    "Version",
    "Visibility",
    "Vote",
]
