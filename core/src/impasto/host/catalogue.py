"""`Catalogue`: all node types in force, and which plugin each came from."""

from collections.abc import Iterable, Iterator, Mapping

from impasto.host.contributions import Registered
from impasto.host.plugin import PluginInfo
from impasto_sdk.node import BaseInvocation, NodeSpec

__all__ = ["Catalogue"]


class Catalogue(Mapping[str, NodeSpec]):
    """Node types by name, ordered by name. Unchanged once built."""

    def __init__(self, invocations: Iterable[Registered[type[BaseInvocation]]]) -> None:
        ordered = sorted(invocations, key=lambda registered: registered.value.spec.type)
        self._specs = {registered.value.spec.type: registered.value.spec for registered in ordered}
        self._plugins = {registered.value.spec.type: registered.plugin for registered in ordered}

    def __getitem__(self, node_type: str) -> NodeSpec:
        return self._specs[node_type]

    def __contains__(self, node_type: object) -> bool:
        return node_type in self._specs

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def plugin_of(self, node_type: str) -> PluginInfo:
        """The plugin that registered `node_type`. Raises `KeyError` for an unknown one."""
        return self._plugins[node_type]
