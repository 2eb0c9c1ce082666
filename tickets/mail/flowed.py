"""format=flowed (RFC 3676): paragraphs put together again, quotes and signatures as they were."""

_SIGNATURE = "-- "


def unfold(text: str, delsp: bool = False) -> str:
    """Joins soft-broken lines of the same quote depth; quoted lines come out as `> text`."""
    out: list[str] = []
    paragraph: list[str] = []
    depth = 0
    for line in text.split("\n"):
        content = line.lstrip(">")
        level = len(line) - len(content)
        content = content.removeprefix(" ")
        if paragraph and (level != depth or content == _SIGNATURE):
            out.append(_quoted(paragraph, depth))
            paragraph = []
        depth = level
        if content.endswith(" ") and content != _SIGNATURE:
            paragraph.append(content[:-1] if delsp else content)
        else:
            out.append(_quoted([*paragraph, content], depth))
            paragraph = []
    if paragraph:
        out.append(_quoted(paragraph, depth))
    return "\n".join(out)


def _quoted(parts: list[str], depth: int) -> str:
    text = "".join(parts)
    if depth:
        return f"{'>' * depth} {text}" if text else ">" * depth
    return text
