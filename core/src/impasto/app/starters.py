"""Starter models: what plugins bring along is registered in place by the first start that sees it."""

import logging

from impasto.errors import ModelRegistryError
from impasto.host import PluginHost
from impasto.models.registry import ModelRegistry

__all__ = ["register_starters"]

logger = logging.getLogger(__name__)


def register_starters(host: PluginHost, models: ModelRegistry) -> None:
    """Register every starter model that asks for it, but for those that a person deleted.

    One that cannot be registered is logged, and the start goes on.
    """
    for registered in host.contributions.starter_models:
        starter = registered.value
        if not starter.install_at_first_start:
            continue
        try:
            models.offer_starter(starter)
        except ModelRegistryError as error:
            logger.warning("starter model %r of %s: %s", starter.id, registered.plugin.name, error)
