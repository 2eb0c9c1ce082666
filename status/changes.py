"""Who in this process keeps the status page, and is told at once that it has changed."""

from typing import Final

from helpdesk.kept import Keepers

keepers: Final = Keepers()
