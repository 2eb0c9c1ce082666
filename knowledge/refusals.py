"""What cannot be, in words for whoever asked for it."""


class Refused(ValueError):
    """It cannot be so; the argument says why."""


class Overtaken(Refused):
    """Somebody else has saved the text meanwhile; `current` is their version's number."""

    def __init__(self, current: int) -> None:
        super().__init__("Somebody else has saved this article meanwhile.")
        self.current = current
