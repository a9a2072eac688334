"""`compel`: an encoded prompt, with compel's syntax for weights, blends and conjunctions."""

from contextlib import ExitStack

from impasto_sd.prompts.syntax import parse_prompt
from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import CLIPField, ConditioningOutput, InputField, TensorField, UIComponent
from impasto_sdk.node import BaseInvocation, Lane, invocation

__all__ = ["CompelPrompt"]


@invocation(
    "compel",
    title="Prompt - SD1.5",
    category="prompt",
    tags=["prompt", "compel"],
    version="1.2.1",
    lane=Lane.DEVICE,
)
class CompelPrompt(BaseInvocation):
    """Encode a prompt: `(word)1.3`, `word++`, `("a", "b").blend(0.7, 0.3)`, `("a", "b").and()`.

    A prompt longer than the text encoder's window is encoded in several windows; nothing of it is dropped.
    """

    prompt: str = InputField("", description="The prompt", ui_component=UIComponent.TEXTAREA)
    clip: CLIPField = InputField(title="CLIP", description="Tokenizer and text encoder")
    mask: TensorField | None = InputField(None, description="Where the prompt holds; everywhere without one")

    def invoke(self, context: InvocationContext) -> ConditioningOutput:
        """Encode the prompt and store it."""
        parsed = parse_prompt(self.prompt)

        from transformers import CLIPTextModel, CLIPTokenizer

        from impasto_sd.prompts.encoder import PromptEncoder
        from impasto_sd.prompts.stored import save_prompt

        patches = context.extensions.denoise(self.clip.loras)
        with (
            context.models.load(self.clip.tokenizer, CLIPTokenizer) as tokenizer,
            context.models.load(self.clip.text_encoder, CLIPTextModel) as text_encoder,
            ExitStack() as patched,
        ):
            for patch in patches:
                patched.enter_context(patch.patch(text_encoder))
            encoder = PromptEncoder(tokenizer, text_encoder, skipped_layers=self.clip.skipped_layers)
            encoded = encoder.encode(parsed)
        stored = save_prompt(context, encoded, text=self.prompt)
        return ConditioningOutput(conditioning=stored.model_copy(update={"mask": self.mask}))
