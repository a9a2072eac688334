"""`split`: the pictures that a node asks for, as requests that each give as many as the model can. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from impasto_sdk.providers.request import ExternalGenerationRequest

__all__ = ["MAX_SEED", "Share", "split"]

#: Greatest seed that is sent: what services take as a signed 32-bit number. After it comes 0.
MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Share:
    """One request, and the number of its first picture among all that the node asks for, from 0."""

    first: int
    request: ExternalGenerationRequest


def split(asked: ExternalGenerationRequest, most: int, done: Collection[int] = ()) -> Iterator[Share]:
    """The requests for `asked.num_images` pictures, but for those whose numbers are `done`; at most `most` in each.

    Seeds follow one another: picture n has the n-th seed from `asked.seed` on, so a request asks for its first one's.
    """
    first = 0
    while first < asked.num_images:
        if first in done:
            first += 1
            continue
        end = first + 1
        while end < asked.num_images and end not in done and end - first < most:
            end += 1
        seed = None if asked.seed is None else (asked.seed + first) % (MAX_SEED + 1)
        yield Share(first, replace(asked, num_images=end - first, seed=seed))
        first = end
