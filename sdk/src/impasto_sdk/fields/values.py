"""What travels on an edge: small frozen values that refer to stored things by name.

A picture, a tensor or a model never travels itself. Names, keys and shapes follow InvokeAI's field types, so
that its graphs load. Unknown keys in a document are ignored, as its clients send some. Being frozen, a value
may be shared between nodes without a copy.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

__all__ = [
    "BoardField",
    "BoundingBoxField",
    "CLIPField",
    "ColorField",
    "ConditioningField",
    "ControlField",
    "DenoiseMaskField",
    "FieldValue",
    "FreeUConfig",
    "IPAdapterField",
    "ImageField",
    "JsonValue",
    "LatentsField",
    "LoRAField",
    "MetadataField",
    "MetadataItemField",
    "ModelIdentifierField",
    "ResizeMode",
    "T2IAdapterField",
    "TensorField",
    "UNetField",
    "VAEField",
    "WorkflowReturnValueField",
]

#: Anything JSON can hold.
JsonValue = Any
#: How a control image is brought to the size of the picture.
ResizeMode = Literal["just_resize", "crop_resize", "fill_resize", "just_resize_simple"]


class FieldValue(BaseModel):
    """Base of the values below; subclass it for a value of your own that travels on an edge."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class ImageField(FieldValue):
    """A stored image."""

    image_name: str = Field(description="Name of the image in the image library")


class BoardField(FieldValue):
    """A board of the image library."""

    board_id: str = Field(description="Id of the board")


class ColorField(FieldValue):
    """A colour: red, green, blue and alpha, each 0 to 255; alpha 255 is opaque."""

    r: int = Field(ge=0, le=255, description="Red, 0 to 255")
    g: int = Field(ge=0, le=255, description="Green, 0 to 255")
    b: int = Field(ge=0, le=255, description="Blue, 0 to 255")
    a: int = Field(default=255, ge=0, le=255, description="Alpha, 0 (clear) to 255 (opaque)")

    def tuple(self) -> tuple[int, int, int, int]:
        """(r, g, b, a), as Pillow takes it."""
        return (self.r, self.g, self.b, self.a)


class TensorField(FieldValue):
    """A stored tensor, e.g. a mask of shape (1, height, width)."""

    tensor_name: str = Field(description="Name of the tensor in the session's store")


class LatentsField(FieldValue):
    """Stored latents, a tensor of shape (batch, channels, height / 8, width / 8) for Stable Diffusion."""

    latents_name: str = Field(description="Name of the latents in the session's store")
    seed: int | None = Field(default=None, description="Seed of the noise they came from")


class ConditioningField(FieldValue):
    """A stored, encoded prompt, with the region of the picture that it holds for."""

    conditioning_name: str = Field(description="Name of the conditioning in the session's store")
    mask: TensorField | None = Field(default=None, description="Where it holds; None: everywhere")


class DenoiseMaskField(FieldValue):
    """What denoising may change: 1 keeps, 0 changes, as a tensor of shape (1, 1, height, width)."""

    mask_name: str = Field(description="Name of the mask tensor")
    masked_latents_name: str | None = Field(
        default=None, description="Latents of the masked image, for inpainting models"
    )
    gradient: bool = Field(default=False, description="Whether the values between 0 and 1 say when a pixel is released")


class ModelIdentifierField(FieldValue):
    """A model record, and the part of it that is meant."""

    key: str = Field(description="Key of the model record")
    hash: str = Field(default="", description="Hash of the weights, for recall on another machine")
    name: str = Field(default="", description="The model's name")
    base: str = Field(default="", description="Family of the weights, an open string, e.g. 'sd-1'")
    type: str = Field(default="", description="What the weights are, an open string, e.g. 'main' or 'vae'")
    submodel_type: str | None = Field(default=None, description="Part of the model, e.g. 'unet'")

    def part(self, submodel_type: str) -> "ModelIdentifierField":
        """The same model, with another part of it meant."""
        return self.model_copy(update={"submodel_type": submodel_type})


class LoRAField(FieldValue):
    """A LoRA and the weight with which it is applied."""

    lora: ModelIdentifierField = Field(description="The LoRA's model record")
    weight: float = Field(description="Strength, usually -1 to 2")


class FreeUConfig(FieldValue):
    """FreeU's four factors (Si et al., "FreeU: Free Lunch in Diffusion U-Net", 2023)."""

    s1: float = Field(default=0.9, ge=-1, le=3, description="Skip factor of the first stage")
    s2: float = Field(default=0.2, ge=-1, le=3, description="Skip factor of the second stage")
    b1: float = Field(default=1.2, ge=-1, le=3, description="Backbone factor of the first stage")
    b2: float = Field(default=1.4, ge=-1, le=3, description="Backbone factor of the second stage")


class UNetField(FieldValue):
    """A UNet with its scheduler and what is to be patched into it."""

    unet: ModelIdentifierField = Field(description="The UNet")
    scheduler: ModelIdentifierField = Field(description="The scheduler's configuration")
    loras: list[LoRAField] = Field(default_factory=list, description="LoRAs to apply")
    seamless_axes: list[Literal["x", "y"]] = Field(default_factory=list, description="Axes that tile without a seam")
    freeu_config: FreeUConfig | None = Field(default=None, description="FreeU factors")


class CLIPField(FieldValue):
    """A tokenizer and text encoder with what is to be patched into it."""

    tokenizer: ModelIdentifierField = Field(description="The tokenizer")
    text_encoder: ModelIdentifierField = Field(description="The text encoder")
    skipped_layers: int = Field(default=0, ge=0, description="Layers skipped at the end of the text encoder")
    loras: list[LoRAField] = Field(default_factory=list, description="LoRAs to apply")


class VAEField(FieldValue):
    """An autoencoder between pictures and latents."""

    vae: ModelIdentifierField = Field(description="The VAE")
    seamless_axes: list[Literal["x", "y"]] = Field(default_factory=list, description="Axes that tile without a seam")


class ControlField(FieldValue):
    """A control image and the ControlNet that reads it."""

    image: ImageField = Field(description="The control image")
    control_model: ModelIdentifierField = Field(description="The ControlNet")
    control_weight: float | list[float] = Field(default=1.0, description="Strength, or one for each step")
    begin_step_percent: float = Field(default=0.0, ge=0, le=1, description="Share of the steps after which it begins")
    end_step_percent: float = Field(default=1.0, ge=0, le=1, description="Share of the steps after which it ends")
    control_mode: Literal["balanced", "more_prompt", "more_control", "unbalanced"] = Field(
        default="balanced", description="Which side of guidance it acts on"
    )
    resize_mode: ResizeMode = Field(default="just_resize", description="How the image is brought to size")


class T2IAdapterField(FieldValue):
    """A control image and the T2I-Adapter that reads it."""

    image: ImageField = Field(description="The control image")
    t2i_adapter_model: ModelIdentifierField = Field(description="The T2I-Adapter")
    weight: float | list[float] = Field(default=1.0, description="Strength, or one for each step")
    begin_step_percent: float = Field(default=0.0, ge=0, le=1, description="Share of the steps after which it begins")
    end_step_percent: float = Field(default=1.0, ge=0, le=1, description="Share of the steps after which it ends")
    resize_mode: ResizeMode = Field(default="just_resize", description="How the image is brought to size")


class IPAdapterField(FieldValue):
    """Reference images and the IP-Adapter that reads them."""

    image: ImageField | list[ImageField] = Field(description="The reference images")
    ip_adapter_model: ModelIdentifierField = Field(description="The IP-Adapter")
    image_encoder_model: ModelIdentifierField = Field(description="The CLIP image encoder")
    weight: float | list[float] = Field(default=1.0, description="Strength, or one for each step")
    target_blocks: list[str] = Field(default_factory=list, description="Blocks it acts on; empty: all")
    method: str = Field(default="full", description="full, style, composition, style_strong or style_precise")
    begin_step_percent: float = Field(default=0.0, ge=0, le=1, description="Share of the steps after which it begins")
    end_step_percent: float = Field(default=1.0, ge=0, le=1, description="Share of the steps after which it ends")
    mask: TensorField | None = Field(default=None, description="Where it acts; None: everywhere")


class BoundingBoxField(FieldValue):
    """A box in pixels; the minimum is inside, the maximum outside."""

    x_min: int = Field(description="Left edge")
    x_max: int = Field(description="Right edge")
    y_min: int = Field(description="Top edge")
    y_max: int = Field(description="Bottom edge")
    score: float | None = Field(default=None, ge=0, le=1, description="How sure the detector was")


class MetadataField(RootModel[dict[str, JsonValue]]):
    """Facts about how an image was made; kept with the image, in its row and in its file."""

    model_config = ConfigDict(frozen=True, defer_build=True)
    root: dict[str, JsonValue] = Field(description="Facts by name")


class MetadataItemField(FieldValue):
    """One fact for an image's metadata."""

    label: str = Field(description="Name of the fact")
    value: JsonValue = Field(description="Anything JSON can hold")


class WorkflowReturnValueField(FieldValue):
    """One value that a called workflow returns, under a key."""

    key: str = Field(description="Name of the value, unique in its workflow")
    value: JsonValue = Field(default=None, description="Anything that travels on an edge")
