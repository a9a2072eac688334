"""The two secrets that an external provider brings to its plugin: its key, and where it is.

Declared for the plugin by the loader, and asked for by whoever knows a provider's id only.
"""

from impasto_sdk.contributions import SecretDeclaration
from impasto_sdk.providers import ExternalProvider

__all__ = ["api_key_name", "base_url_name", "provider_secrets"]


def api_key_name(provider_id: str) -> str:
    """The name of a provider's key, e.g. ``openai_api_key``."""
    return f"{provider_id}_api_key"


def base_url_name(provider_id: str) -> str:
    """The name of a provider's address, e.g. ``openai_base_url``."""
    return f"{provider_id}_base_url"


def provider_secrets(provider: type[ExternalProvider]) -> list[SecretDeclaration]:
    """What a plugin declares by registering the provider."""
    return [
        SecretDeclaration(
            name=api_key_name(provider.provider_id), title=f"API key of {provider.title}", help=provider.key_help
        ),
        SecretDeclaration(
            name=base_url_name(provider.provider_id),
            title=f"Address of {provider.title}",
            help=f"Unless it is set, {provider.default_base_url}",
        ),
    ]
