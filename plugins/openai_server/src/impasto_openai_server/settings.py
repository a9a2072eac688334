"""`OpenAIServerSettings`: what an operator may decide, under ``plugins.openai_server``."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["OpenAIServerSettings"]


class OpenAIServerSettings(BaseModel):
    """What an operator may decide. Left alone, everything is found by what panels and models say of themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    default_model: str = Field(
        "", description="Key or name of the model that serves requests for others; empty: the first that fits"
    )
    generate_panel: str = Field("", description="Id of the panel that makes pictures from words; empty: found by facts")
    edit_panel: str = Field("", description="Id of the panel that changes a picture; empty: found by facts")
    mask_panel: str = Field("", description="Id of the panel that changes a picture in a mask; empty: found by facts")
    queue_id: str = Field("default", min_length=1, max_length=255, description="The queue that takes the work")
    openai_sizes: Literal["shape", "pixels"] = Field(
        "shape",
        description="What OpenAI's own sizes, e.g. 1024x1024, ask for: shape: a picture of that shape, as large as "
        "suits the model; pixels: so many pixels",
    )
