"""Text from strangers, made fit for a header, a JSON body or a database column."""


def storable(text: str, limit: int) -> str:
    """At most `limit` characters, without what PostgreSQL (NUL) or UTF-8 (lone surrogates) cannot hold."""
    return text[:limit].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def one_line(text: str, limit: int) -> str:
    """`storable` on a single line: runs of blanks, line breaks and control characters become one space.

    A text that had to be cut ends in an ellipsis, within `limit`.
    """
    # Whatever is thrown away afterwards can only shorten it, so a slack of four keeps a huge input cheap.
    head = storable(text, limit * 4 + 100)
    line = " ".join("".join(c if c.isprintable() else " " for c in head).split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"
