"""`NodeWatch`: what the requests of a node report, brought to the node's context. Made by the node."""

import io
from dataclasses import dataclass, field

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import ProviderError

__all__ = ["NodeWatch"]


@dataclass(slots=True)
class NodeWatch:
    """A `GenerationWatch` that reports to a node's context."""

    context: InvocationContext
    title: str
    #: How many requests there are.
    count: int
    done: int = 0
    #: How much of each request that is under way is done, by its index.
    parts: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context.progress(0.0 if self.count else 1.0, f"Waiting for {self.title}")

    @property
    def cancelled(self) -> bool:
        """See `GenerationWatch`."""
        return self.context.cancelled

    def finished(self) -> None:
        """One more request is done."""
        self.done += 1
        self.context.progress(self.done / self.count, f"{self.title}: {self.done} of {self.count} requests done")

    def partial(self, index: int, data: bytes, fraction: float) -> None:
        """See `GenerationWatch`."""
        from PIL import Image, UnidentifiedImageError

        self.parts[index] = min(max(fraction, 0.0), 1.0)
        so_far = min(max(self.done, sum(self.parts.values())) / self.count, 1.0)
        try:
            preview: Image.Image | None = Image.open(io.BytesIO(data))
        except UnidentifiedImageError:  # a preview that cannot be shown is no reason to lose the picture
            preview = None
        self.context.progress(so_far, f"{self.title} is painting", preview)

    def waits(self, index: int, error: ProviderError, wait_s: float) -> None:
        """See `GenerationWatch`."""
        self.context.logger.warning("%s; it is asked again in %.1f s", error, wait_s)
        self.context.progress(self.done / self.count, f"{error.problem}; asked again in {wait_s:.0f} s")
