"""The states Django's migrations pass through, made more cheaply where the database is still empty.

With every table, index and constraint, Django renders all models anew that are related to its own
(ProjectState.reload_model): quadratic in the number of models, and nine tenths of the time it takes to make this
database. Here a new model is rendered alone, as on any import of models.py, and an index or a constraint is only noted.

Only where no migration was ever applied: what came before an upgrade is rendered in apps of its own, and would not
learn of the new models that point at it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import BaseConstraint, Index


class FreshState(ProjectState):
    """What the migrations have made so far, beginning with nothing."""

    def clone(self) -> "FreshState":
        copied = super().clone()
        fresh = FreshState(models=copied.models, real_apps=copied.real_apps)
        if "apps" in copied.__dict__:
            fresh.__dict__["apps"] = copied.apps
        fresh.is_delayed = copied.is_delayed
        return fresh

    def add_model(self, model_state: ModelState) -> None:
        with self._as_it_is():
            super().add_model(model_state)
        if "apps" in self.__dict__:
            self.apps.render_multiple([model_state])

    def add_index(self, app_label: str, model_name: str, index: Index) -> None:
        with self._as_it_is():
            super().add_index(app_label, model_name, index)
        self._note(app_label, model_name, "indexes")

    def add_constraint(self, app_label: str, model_name: str, constraint: BaseConstraint) -> None:
        with self._as_it_is():
            super().add_constraint(app_label, model_name, constraint)
        self._note(app_label, model_name, "constraints")

    @contextmanager
    def _as_it_is(self) -> Iterator[None]:
        """Django renders nothing anew in a state that it has not rendered yet."""
        rendered = self.__dict__.pop("apps", None)
        try:
            yield
        finally:
            if rendered is not None:
                self.__dict__["apps"] = rendered

    def _note(self, app_label: str, model_name: str, option: str) -> None:
        if "apps" in self.__dict__:
            meta: Any = self.apps.get_model(app_label, model_name)._meta
            setattr(meta, option, list(self.models[app_label, model_name].options[option]))
            meta.__dict__.pop("total_unique_constraints", None)


class FreshExecutor(MigrationExecutor):
    """Django's, with the states above where no migration was ever applied."""

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        if self.loader.applied_migrations:
            return super()._create_project_state(with_applied_migrations)  # type: ignore[misc, no-any-return]
        return FreshState(real_apps=self.loader.unmigrated_apps)
