"""One area of the settings: its rows as a list, its form, what removing one of them means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from helpdesk.customers import audit
from helpdesk.customers.models import User
from helpdesk.desk.forms import SettingsForm, Words

PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list. `marks` are short words with a tone; `depth` is how far it lies within others."""

    pk: int
    title: str
    meta: str = ""
    marks: list[tuple[Words, str]] = field(default_factory=list)
    icon: str = ""
    depth: int = 0
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a list; `after` is the id after which the next part begins, 0 at the end."""

    rows: list[Row]
    after: int


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done with a row from its page besides saving and removing it. `do(row, agent, what was sent, at)`
    runs in a transaction, writes the audit log itself and returns a secret that is shown once, or nothing; `said` is
    told then. Raises Refused. `calls_outside`: it asks somebody else, for which no transaction waits.
    """

    name: str
    do: Callable[[Any, User, Mapping[str, str], datetime], str]
    said: Words
    calls_outside: bool = False


class Area:
    """Subclasses say what is theirs. `order` ends with a unique column: lists are keyset pages over it."""

    key: ClassVar[str]
    model: ClassVar[type[Model]]
    form: ClassVar[type[SettingsForm]]
    order: ClassVar[tuple[str, ...]] = ("name", "id")
    searches: ClassVar[tuple[str, ...]] = ()
    adds: ClassVar[bool] = True
    edits: ClassVar[bool] = True
    removes: ClassVar[bool] = True
    is_own: ClassVar[bool] = False
    # What concerns nobody but oneself, viewers set as well.
    viewers_send: ClassVar[bool] = False
    # Relations whose rows belong to the row.
    children: ClassVar[tuple[str, ...]] = ()
    # False where the action itself writes the audit log.
    is_noted_here: ClassVar[bool] = True
    add_words: ClassVar[Words] = _("Add")
    one: ClassVar[Words] = ""
    empty: ClassVar[tuple[Words, Words]] = (_("Nothing here yet"), "")
    remove_words: ClassVar[Words] = _("This cannot be undone.")
    remove_button: ClassVar[Words] = _("Remove")
    template: ClassVar[str] = "settings/edit.jinja"
    acts: ClassVar[tuple[Act, ...]] = ()
    # There is one row, and no list: `only` gives it.
    is_single: ClassVar[bool] = False

    def name_of(self, what: str) -> str:
        """The name of one of this area's addresses: "", "new", "edit", "delete" or an action's."""
        return f"tickets:settings_{self.key}" + (f"_{what}" if what else "")

    def only(self) -> Any:
        """The row of a single area; not saved yet where nobody has changed it."""
        raise NotImplementedError

    def rows(self, user: User) -> QuerySet[Any]:
        """All this agent may see here."""
        return self.model._default_manager.all()

    def row(self, found: Any, user: User) -> Row:
        return Row(found.pk, str(found))

    def rows_told(self, found: Sequence[Any], user: User) -> "list[Row]":
        """The rows of one part of the list; where they name others, those are looked up here for all at once."""
        return [self.row(one, user) for one in found]

    def list(self, user: User, query: str, after: int) -> Found:
        rows = self.rows(user)
        if query and self.searches:
            wanted = Q()
            for name in self.searches:
                wanted |= Q(**{f"{name}__icontains": query})
            rows = rows.filter(wanted)
        if after:
            rows = rows.filter(self._beyond(rows, after))
        found = list(rows.order_by(*self.order)[: PAGE + 1])
        last = found[PAGE - 1].pk if len(found) > PAGE else 0
        return Found(self.rows_told(found[:PAGE], user), last)

    def _beyond(self, rows: QuerySet[Any], after: int) -> Q:
        """What follows the row `after` in the list's order, compared column by column; nothing where it has gone."""
        names = [name.removeprefix("-") for name in self.order]
        values = self.rows_unfiltered().filter(pk=after).values_list(*names).first()
        if values is None:
            return Q(pk__in=[])
        beyond, same = Q(), Q()
        for name, column, value in zip(self.order, names, values, strict=True):
            way = "lt" if name.startswith("-") else "gt"
            beyond |= same & Q(**{f"{column}__{way}": value})
            same &= Q(**{column: value})
        return beyond

    def rows_unfiltered(self) -> QuerySet[Any]:
        return self.model._default_manager.all()

    def may_add(self, user: User) -> bool:
        return True

    def may_change(self, user: User, found: Any) -> bool:
        """Whether this agent may change this row of those they see."""
        return True

    def snapshot(self, found: Any) -> dict[str, Any]:
        """The row, with what belongs to it, for the audit log."""
        return audit.stored(found, *self.children)

    def remove(self, found: Any, user: User, *, at: datetime) -> None:
        """Raises Refused, ProtectedError."""
        found.delete()

    def beside(self, request: HttpRequest, found: Any, form: SettingsForm) -> dict[str, Any]:
        """What the edit page's template wants besides the form; `found` is None for a new one."""
        return {}

    def above(self, user: User) -> dict[str, Any]:
        """What the list's page shows above it."""
        return {}

    def saved(self, request: HttpRequest, found: Any) -> str:
        """Where a saved row leads; "" back to the list."""
        return ""

    def removed(self, found: Any) -> str:
        """Where to go once a row is removed; "" to the list."""
        return ""

    def more_routes(self) -> Iterable[URLPattern]:
        """Addresses of this area beside list, new, edit and delete."""
        return ()
