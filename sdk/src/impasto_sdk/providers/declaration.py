"""`@external_invocation`: declares the node of a provider, and makes it show what the provider's models can do."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.fields import Port, port_of
from impasto_sdk.node import Lane, invocation
from impasto_sdk.providers.node import ExternalImageGeneration
from impasto_sdk.providers.provider import ExternalProvider, NoOptions

__all__ = ["external_invocation"]

NodeT = TypeVar("NodeT", bound=ExternalImageGeneration)


def external_invocation(
    node_type: str,
    *,
    provider: type[ExternalProvider],
    title: str | None = None,
    tags: Sequence[str] = (),
    version: str = "1.0.0",
) -> Callable[[type[NodeT]], type[NodeT]]:
    """Declare the node of a provider: ``class Node(MyOptions, ExternalImageGeneration)``.

    It waits on lane ``io``, is not cached unless a graph says so, lists the provider's own models only, and hides what
    none of them can use. Raises `NodeDeclarationError`, also when the class has not the provider's `options` as a base,
    where it has any.
    """

    def declare(cls: type[NodeT]) -> type[NodeT]:
        if provider.options is not NoOptions and not issubclass(cls, provider.options):
            raise NodeDeclarationError(
                node_type, f"{cls.__name__} must have {provider.options.__name__}, the provider's options, as a base"
            )
        cls.provider = provider
        _narrow(cls, provider)
        return invocation(
            node_type,
            title=title,
            category="external",
            tags=("external", provider.provider_id, *tags),
            version=version,
            use_cache=False,
            lane=Lane.IO,
        )(cls)

    return declare


def _narrow(cls: type[ExternalImageGeneration], provider: type[ExternalProvider]) -> None:
    """Let clients offer the provider's own models only, and hide the inputs that none of them can use."""
    abilities = [model.capabilities for model in provider.models()]
    modes = {mode for able in abilities for mode in able.modes}
    useful = {
        "mode": len(modes) > 1,
        "init_image": bool(modes & {"img2img", "inpaint"}),
        "mask_image": "inpaint" in modes,
        "reference_images": any(able.supports_reference_images for able in abilities),
        "seed": any(able.supports_seed for able in abilities),
        "image_size": any(able.image_sizes for able in abilities),
    }
    for name, is_useful in useful.items():
        if not is_useful:
            _set_port(cls, name, hidden=True)
    known = port_of(cls.model_fields["model"]).model_filter
    _set_port(cls, "model", model_filter={**known, "provider": (provider.provider_id,)})


def _set_port(cls: type[ExternalImageGeneration], name: str, **changes: Any) -> None:
    # what pydantic checks and writes does not depend on it, so the class need not be built anew
    info = cls.model_fields[name]
    port = replace(port_of(info), **changes)
    info.metadata = [*(item for item in info.metadata if not isinstance(item, Port)), port]
