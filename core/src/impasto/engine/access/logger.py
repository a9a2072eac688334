"""`NodeLogger`: a logger whose every line says which session and node it comes from, on whatever thread it is used."""

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from impasto.engine.log_fields import item_fields
from impasto_sdk.context import InvocationIdentity

__all__ = ["NodeLogger"]

_Exception = (
    bool | BaseException | tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class NodeLogger(logging.Logger):
    """Made for one running node and forgotten with it: it is in no registry of loggers."""

    def __init__(self, identity: InvocationIdentity) -> None:
        super().__init__(f"impasto.node.{identity.node_type}")
        self.parent = logging.getLogger("impasto.node")
        self._identity = identity

    def _log(
        self,
        level: int,
        msg: object,
        args: Any,
        exc_info: _Exception | None = None,
        extra: Mapping[str, object] | None = None,
        stack_info: bool = False,
        stacklevel: int = 1,
    ) -> None:
        identity = self._identity
        where = item_fields(identity, node_id=identity.node_id, node_type=identity.node_type)
        super()._log(level, msg, args, exc_info, {**(extra or {}), **where}, stack_info, stacklevel + 1)
