"""`Backoff`: how long a worker that was lost waits before it is started again. Pure; kept by its supervisor."""

__all__ = ["Backoff"]

#: Seconds before the second start in a row that came to nothing; each further one waits twice as long …
_FIRST_S = 0.5
#: … up to this.
_LONGEST_S = 30.0


class Backoff:
    """Counts starts that came to nothing.

    A process that was given work is one that can start: whatever ended it, most likely a node, the next one is started
    at once. How often a node may do that is bounded by the attempts of its item.
    """

    def __init__(self) -> None:
        self._fruitless = 0

    def after(self, *, worked: bool) -> float:
        """Seconds until the next start, given whether the process that was lost had been given any work.

        0 after the first start that came to nothing, since the cause is often gone with it.
        """
        self._fruitless = 0 if worked else self._fruitless + 1
        if self._fruitless < 2:
            return 0.0
        # bounded first: no power of two is too large for a float then
        return float(min(_FIRST_S * 2 ** min(self._fruitless - 2, 16), _LONGEST_S))
