"""`vae_loader`: a VAE that lies by itself. Loads nothing itself."""

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import InputField, ModelIdentifierField, VAEField, VAEOutput
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["VAELoader"]


@invocation("vae_loader", title="VAE Model - SD1.5, SD2", category="model", tags=["vae", "model"], version="1.0.4")
class VAELoader(BaseInvocation):
    """Choose a VAE to use instead of a model's own."""

    vae_model: ModelIdentifierField = InputField(
        title="VAE", description="The VAE", ui_model_base=("sd-1", "sd-2"), ui_model_type="vae"
    )

    def invoke(self, context: InvocationContext) -> VAEOutput:
        """Look the VAE up and refer to it."""
        record = context.models.record(self.vae_model)
        if record.type != "vae":
            raise InvalidInputError("vae_model", record.name, f"it is a {record.type} model", "choose a VAE")
        return VAEOutput(vae=VAEField(vae=record.identifier()))
