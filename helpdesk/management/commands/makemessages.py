"""Django's `makemessages`, which reads the desk's Jinja2 templates as well: `manage.py makemessages --all`."""

import ast
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.management.commands import makemessages

from tickets.desk.rendering import environment

FUNCTIONS = ("_", "gettext", "ngettext", "pgettext")
# Not ours, or not for people.
IGNORED = ("tests/*", "bench/*", "static/*", ".*")


class SourceFile(makemessages.BuildFile):
    """What Django does with its templates, done with Jinja2's: a Python file with the same words on the same lines.

    xgettext skips what is called within an f-string: those calls are written once more below the file.
    """

    @cached_property
    def is_templatized(self) -> bool:
        return super().is_templatized or bool(self.in_f_strings)

    @cached_property
    def in_f_strings(self) -> list[str]:
        if not self.path.endswith(".py"):
            return []
        strings = (node for node in ast.walk(ast.parse(Path(self.path).read_text())) if isinstance(node, ast.JoinedStr))
        inner = (node for string in strings for node in ast.walk(string) if isinstance(node, ast.Call))
        return [ast.unparse(call) for call in inner if ast.unparse(call.func) in FUNCTIONS]

    def preprocess(self) -> None:
        if self.in_f_strings:
            text = Path(self.path).read_text()
            Path(self.work_path).write_text("\n".join([text, *self.in_f_strings, ""]))
            return
        if not self.path.endswith(".jinja"):
            super().preprocess()
            return
        lines: dict[int, list[str]] = {}
        desk: Any = environment()  # the extension for gettext gives it the method
        for line, function, message in desk.extract_translations(Path(self.path).read_text(), FUNCTIONS):
            words = ", ".join(repr(word) for word in ([message] if isinstance(message, str) else message) if word)
            lines.setdefault(line, []).append(f"{'gettext' if function == '_' else function}({words})")
        last = max(lines, default=0)
        text = "\n".join("; ".join(lines.get(number, ())) for number in range(1, last + 1))
        Path(self.work_path).write_text(f"{text}\n")


class Command(makemessages.Command):
    build_file_class = SourceFile
    # The desk's sentences about events are handed over before anybody's language is known.
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=_says"]

    def handle(self, *args: Any, **options: Any) -> None:
        options["extensions"] = ["html", "txt", "py", "jinja"]
        options["ignore_patterns"] = [*options["ignore_patterns"], *IGNORED]
        # Files and lines move with every change, and say nothing to those who translate.
        options["no_location"] = options["no_wrap"] = options["no_obsolete"] = True
        super().handle(*args, **options)
