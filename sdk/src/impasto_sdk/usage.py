"""`ProviderUsage`: what one request to an external service came to. Counted per provider by the server."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["ProviderUsage", "RequestOutcome"]

#: How a request ended: answered; refused by the service; lost on the way or in the service; given up by us.
RequestOutcome = Literal["completed", "refused", "failed", "canceled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderUsage:
    """What one request came to, as far as the service says so."""

    #: Id of the model as the service spells it.
    model: str
    outcome: RequestOutcome
    #: Pictures that came back.
    images: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    #: US dollars, from the service's answer or worked out from its published prices; None: not known.
    cost_usd: float | None = None
