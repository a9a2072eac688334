"""How an encoded prompt lies in the session's store: two tensors and its text."""

from impasto_sd.prompts.encoder import EncodedPrompt
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ConditioningField
from impasto_sdk.torch import load_conditioning, save_conditioning

__all__ = ["load_prompt", "save_prompt"]

#: What the metadata calls a prompt of this kind, so that another family's conditioning is not taken for it.
_KIND = "sd.prompt"


def save_prompt(context: InvocationContext, prompt: EncodedPrompt, *, text: str) -> ConditioningField:
    """Store a prompt for the length of the session. `text` is kept with it for people who look into the file."""
    return save_conditioning(
        context,
        {"embeddings": prompt.embeddings, "empty": prompt.empty},
        {"kind": _KIND, "text": text, "token_count": str(prompt.token_count)},
    )


def load_prompt(context: InvocationContext, field: str, stored: ConditioningField) -> EncodedPrompt:
    """A stored prompt, on the CPU.

    Raises `TensorNotFoundError`, and `InvalidInputError` for `field` when it was not made by this plugin's nodes.
    """
    found = load_conditioning(context, stored)
    kind = found.metadata.get("kind")
    if kind != _KIND:
        raise InvalidInputError(
            field,
            stored.conditioning_name,
            f"it is conditioning of the kind {kind or 'unknown'!r}",
            "encode the prompt with the compel node",
        )
    return EncodedPrompt(
        embeddings=found.tensors["embeddings"],
        empty=found.tensors["empty"],
        token_count=int(found.metadata["token_count"]),
    )
