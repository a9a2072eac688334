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
    #: How much of each request is done, by its index.
    parts: list[float] = field(init=False)
    #: Why a picture that came could not be used.
    failure: ProviderError | None = None

    def __post_init__(self) -> None:
        self.parts = [0.0] * self.count
        self.context.progress(0.0 if self.count else 1.0, f"Waiting for {self.title}")

    @property
    def cancelled(self) -> bool:
        """See `GenerationWatch`."""
        return self.context.cancelled

    @property
    def failed(self) -> bool:
        """See `GenerationWatch`."""
        return self.failure is not None

    def unusable(self, error: ProviderError) -> None:
        """A picture could not be used; the first one's `error` is why the node fails in the end."""
        self.failure = self.failure or error

    def finished(self, index: int) -> None:
        """Request `index` is done."""
        self.done += 1
        self.parts[index] = 1.0
        self.context.progress(self._so_far, f"{self.title}: {self.done} of {self.count} requests done")

    def partial(self, index: int, data: bytes, fraction: float) -> None:
        """See `GenerationWatch`."""
        from PIL import Image

        self.parts[index] = max(self.parts[index], min(fraction, 1.0))
        preview: Image.Image | None = None
        try:
            opened = Image.open(io.BytesIO(data))
            opened.load()  # here, for whoever shows it would stumble over one that is not whole
            preview = opened
        except Exception as error:  # noqa: BLE001 - a preview that cannot be shown is no reason to lose the picture
            self.context.logger.debug("a preview of %s cannot be shown: %s", self.title, error)
        self.context.progress(self._so_far, f"{self.title} is painting", preview)

    def waits(self, index: int, error: ProviderError, wait_s: float) -> None:
        """See `GenerationWatch`."""
        self.context.logger.warning("%s; it is asked again in %.1f s", error, wait_s)
        self.context.progress(self._so_far, f"{error.problem}; asked again in {wait_s:.0f} s")

    @property
    def _so_far(self) -> float:
        return min(sum(self.parts) / self.count, 1.0)
