"""`check_group`: whether a node class may run in groups as it says, asked once, when it is declared.

A type offers groups by overriding `batch_key` and `invoke_batch` and by saying how many nodes one call takes.
`@invocation` calls this; nobody else does.
"""

import inspect
from typing import TYPE_CHECKING

from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.node.spec import NodeKind

if TYPE_CHECKING:  # base.py needs this module
    from impasto_sdk.node.base import BaseInvocation

__all__ = ["check_group"]

_METHODS = ("batch_key", "invoke_batch")


def check_group(
    cls: "type[BaseInvocation]",
    root: "type[BaseInvocation]",
    node_type: str,
    *,
    max_batch: int,
    kind: NodeKind,
    yields: bool,
) -> None:
    """Hold what `cls` overrides of `root` to what is declared. Raises `NodeDeclarationError`, saying what to mend."""
    defined = {name: inspect.getattr_static(cls, name) for name in _METHODS}
    overridden = [name for name in _METHODS if defined[name] is not inspect.getattr_static(root, name)]
    if not overridden:
        if max_batch != 1:
            raise NodeDeclarationError(
                node_type,
                f"max_batch={max_batch} says how many nodes run as one call; override batch_key and invoke_batch, or "
                "leave it out",
            )
        return
    if len(overridden) == 1:
        raise NodeDeclarationError(
            node_type, f"{cls.__name__} overrides {overridden[0]} only; override batch_key and invoke_batch, or neither"
        )
    if kind is not NodeKind.PLAIN or yields:
        what = "that yields" if yields else f"of kind {kind.value!r}"
        raise NodeDeclarationError(
            node_type, f"a node {what} cannot run in groups; take batch_key and invoke_batch out of {cls.__name__}"
        )
    if not isinstance(defined["invoke_batch"], classmethod):
        raise NodeDeclarationError(node_type, "invoke_batch is called on the class; write @classmethod above it")
    if max_batch < 2:
        raise NodeDeclarationError(
            node_type,
            f"max_batch={max_batch}, and {cls.__name__} overrides batch_key and invoke_batch; say how many nodes one "
            "call takes at most, two or more, e.g. max_batch=8",
        )
