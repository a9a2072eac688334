"""External image services: what a provider is, and the node and the panel that it gets for it.

A plugin declares an `ExternalProvider` (its models, and how one request is sent), its node with `external_invocation`,
and its panel with `image_panel`. `impasto_sdk.providers.http`, which needs httpx, is the way to the service.
"""

from impasto_sdk.providers.attempts import RetryPolicy, with_retries
from impasto_sdk.providers.base64_picture import picture_of_base64
from impasto_sdk.providers.capabilities import ExternalModelCapabilities, GenerationMode, ResolutionPreset
from impasto_sdk.providers.declaration import external_invocation
from impasto_sdk.providers.generation import GenerationWatch, generate_all
from impasto_sdk.providers.model import (
    EXTERNAL_BASE,
    EXTERNAL_FORMAT,
    EXTERNAL_SCHEME,
    EXTERNAL_TYPE,
    ExternalModel,
    external_source,
    model_id_of,
)
from impasto_sdk.providers.node import ExternalImageGeneration
from impasto_sdk.providers.panel import image_panel
from impasto_sdk.providers.provider import ExternalProvider, NoOptions, PartialImage, ProviderStatus
from impasto_sdk.providers.record import external_record
from impasto_sdk.providers.refusals import check_request, refusals
from impasto_sdk.providers.request import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImage,
    InputImage,
)
from impasto_sdk.providers.sizes import ChosenSize, nearest_size

__all__ = [
    "EXTERNAL_BASE",
    "EXTERNAL_FORMAT",
    "EXTERNAL_SCHEME",
    "EXTERNAL_TYPE",
    "ChosenSize",
    "ExternalGenerationRequest",
    "ExternalGenerationResult",
    "ExternalImage",
    "ExternalImageGeneration",
    "ExternalModel",
    "ExternalModelCapabilities",
    "ExternalProvider",
    "GenerationMode",
    "GenerationWatch",
    "InputImage",
    "NoOptions",
    "PartialImage",
    "ProviderStatus",
    "ResolutionPreset",
    "RetryPolicy",
    "check_request",
    "external_invocation",
    "external_record",
    "external_source",
    "generate_all",
    "image_panel",
    "model_id_of",
    "nearest_size",
    "picture_of_base64",
    "refusals",
    "with_retries",
]
