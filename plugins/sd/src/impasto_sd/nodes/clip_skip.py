"""`clip_skip`: leave out layers at the end of the text encoder."""

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import BaseInvocationOutput, CLIPField, Input, InputField, OutputField, invocation_output
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["CLIPSkip", "CLIPSkipOutput"]


@invocation_output("clip_skip_output")
class CLIPSkipOutput(BaseInvocationOutput):
    """A tokenizer and text encoder of which fewer layers are used."""

    clip: CLIPField = OutputField(title="CLIP", description="Tokenizer and text encoder")


@invocation(
    "clip_skip",
    title="Apply CLIP Skip - SD1.5",
    category="prompt",
    tags=["clip", "skip"],
    version="1.1.1",
)
class CLIPSkip(BaseInvocation):
    """Leave out layers at the end of the text encoder, on top of those that are left out already."""

    clip: CLIPField = InputField(input=Input.CONNECTION, title="CLIP", description="Tokenizer and text encoder")
    skipped_layers: int = InputField(0, ge=0, title="Skipped Layers", description="How many layers to leave out")

    def invoke(self, context: InvocationContext) -> CLIPSkipOutput:
        """Note the layers; the text encoder is left alone."""
        skipped = self.clip.skipped_layers + self.skipped_layers
        return CLIPSkipOutput(clip=self.clip.model_copy(update={"skipped_layers": skipped}))
