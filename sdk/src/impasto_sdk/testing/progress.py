"""`FakeProgress`: keeps every report a node makes of how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FakeProgress", "ProgressReport"]


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """One report."""

    fraction: float | None
    message: str
    preview: "Image | None"


class FakeProgress:
    """The `ProgressReporter` of a `FakeContext`. `reports` holds all of them; none is dropped."""

    def __init__(self, on_report: Callable[[int], None]) -> None:
        """`on_report` is called after each report, with their number so far."""
        self.reports: list[ProgressReport] = []
        self._on_report = on_report

    def __call__(self, fraction: float | None, message: str = "", preview: "Image | None" = None) -> None:
        """See `ProgressReporter`. Raises `ValueError` for a fraction outside 0 to 1, which a client cannot draw."""
        if fraction is not None and not 0 <= fraction <= 1:
            raise ValueError(f"progress {fraction} is not between 0 and 1")
        self.reports.append(ProgressReport(fraction, message, preview))
        self._on_report(len(self.reports))
