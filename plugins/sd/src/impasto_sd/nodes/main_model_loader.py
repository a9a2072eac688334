"""`main_model_loader`: a main model's parts, for the nodes that use them. Loads nothing itself."""

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    CLIPField,
    InputField,
    ModelIdentifierField,
    OutputField,
    UNetField,
    VAEField,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["MainModelLoader", "ModelLoaderOutput"]


@invocation_output("model_loader_output")
class ModelLoaderOutput(BaseInvocationOutput):
    """The parts of a main model."""

    vae: VAEField = OutputField(title="VAE", description="The VAE")
    clip: CLIPField = OutputField(title="CLIP", description="Tokenizer and text encoder")
    unet: UNetField = OutputField(title="UNet", description="UNet and scheduler")


@invocation(
    "main_model_loader",
    title="Main Model - SD1.5, SD2",
    category="model",
    tags=["model"],
    version="1.0.4",
)
class MainModelLoader(BaseInvocation):
    """Choose a Stable Diffusion model and give its parts."""

    model: ModelIdentifierField = InputField(
        description="The model", ui_model_base=("sd-1", "sd-2"), ui_model_type="main"
    )

    def invoke(self, context: InvocationContext) -> ModelLoaderOutput:
        """Look the model up and refer to its parts."""
        record = context.models.record(self.model)
        if record.type != "main":
            raise InvalidInputError("model", record.name, f"it is a {record.type} model", "choose a main model")
        model = record.identifier()
        return ModelLoaderOutput(
            vae=VAEField(vae=model.part("vae")),
            clip=CLIPField(
                tokenizer=model.part("tokenizer"), text_encoder=model.part("text_encoder"), skipped_layers=0
            ),
            unet=UNetField(unet=model.part("unet"), scheduler=model.part("scheduler"), freeu_config=None),
        )
