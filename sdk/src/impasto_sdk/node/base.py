"""`BaseInvocation` and `@invocation`: a node class is declared once and is its schema."""

import re
from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.fields import BaseInvocationOutput, BoardField, Input, InputField, JsonValue, MetadataField
from impasto_sdk.node.group import check_group
from impasto_sdk.node.result import result_of
from impasto_sdk.node.spec import Classification, InputSpec, Lane, NodeKind, NodeSpec, OutputSpec

__all__ = ["BaseInvocation", "WithBoard", "WithMetadata", "invocation"]

#: Attributes that every node of a graph has, beside its type; no input may have their names.
NODE_ATTRIBUTES = frozenset({"id", "is_intermediate", "use_cache"})
#: Names that documents use for themselves.
RESERVED_INPUT_NAMES = frozenset(
    {"type", "version", "workflow", "node_pack", "called", "spec", "invoke", "reuse", "batch_key", "invoke_batch"}
)

_NODE_TYPE = re.compile(r"^[a-z][a-z0-9_]*$")
_VERSION = re.compile(r"^\d+\.\d+\.\d+$")


class BaseInvocation(BaseModel):
    """Base of all nodes.

    Declare inputs as `InputField`s and override `invoke`. An instance is one execution: every input holds its final
    value, checked against the declared type and bounds.
    """

    # numbers become text where a text is wanted: an edge may lead from a number to a text
    model_config = ConfigDict(extra="forbid", defer_build=True, protected_namespaces=(), coerce_numbers_to_str=True)

    #: The node type's facts; set by `@invocation`.
    spec: ClassVar[NodeSpec]

    id: str = Field(default="", description="Id of the node")
    is_intermediate: bool = Field(default=False, description="Whether what it saves is kept out of the gallery")
    use_cache: bool = Field(default=True, description="Whether its result may come from the invocation cache")

    def invoke(self, context: InvocationContext) -> BaseInvocationOutput | Generator[Any, None, BaseInvocationOutput]:
        """Do the work and give the output. Override it with your output class as the return annotation.

        ``-> ImageOutput``: the output is returned. ``-> Generator[ImageField, None, ImageCollectionOutput]``: each
        item of the output's `collection` is yielded as soon as it is there, and the output is returned at the end;
        `spec.yields` is then true, and the call gives a generator, of which nothing has run yet. No node gives now the
        one, now the other: who calls `invoke` asks `spec.yields` beforehand.

        Import heavy libraries (torch, numpy, opencv) inside this method, not at the top of the module. Raise
        `InvocationError` or `InvalidInputError` for what the person who runs the graph can mend.
        """
        raise NotImplementedError(f"{type(self).__name__} does not override invoke")

    def reuse(self, output: Any, context: InvocationContext) -> BaseInvocationOutput:
        """What this execution gives when an equal one's `output` was found in the invocation cache.

        Called instead of `invoke`; the output itself, unless it is overridden, as by a node whose every run is to leave
        something new behind. Everything that `output` refers to is still there.
        """
        given: BaseInvocationOutput = output
        return given

    def batch_key(self) -> Hashable | None:
        """What nodes of this type have in common that may run as one call; None: this one runs alone.

        Override it together with `invoke_batch`, and say in `@invocation` how many one call takes at most. Nodes that
        may start at the same moment and have equal keys run as one call. It is asked before the node runs, so it reads
        its inputs and nothing else.
        """
        return None

    @classmethod
    def invoke_batch(
        cls, nodes: Sequence[Self], contexts: Sequence[InvocationContext]
    ) -> Sequence[BaseInvocationOutput]:
        """Do the work of several nodes with one key, each with the context at its place; give an output for each.

        `nodes` are two or more, at most `spec.max_batch`. What comes out for each must be what its `invoke` gives: the
        same output, the same files saved through its own context, which is also where it reports progress. What this
        raises ends the session, as an error of the first node.
        """
        raise NotImplementedError(f"{cls.__name__} does not override invoke_batch")

    def to_document(self) -> dict[str, JsonValue]:
        """The node as a graph document holds it: id, type, attributes and inputs as JSON values."""
        return {"type": self.spec.type, **self.model_dump(mode="json")}


class WithMetadata(BaseModel):
    """Mixin for nodes that save images: facts to keep with them."""

    model_config = ConfigDict(defer_build=True)

    metadata: MetadataField | None = InputField(
        None, input=Input.CONNECTION, description="Facts to keep with the image", ui_order=1000
    )


class WithBoard(BaseModel):
    """Mixin for nodes that save images: the board to put them on."""

    model_config = ConfigDict(defer_build=True)

    board: BoardField | None = InputField(
        None, input=Input.DIRECT, description="The board to save the image to", ui_order=1001
    )


InvocationT = TypeVar("InvocationT", bound=BaseInvocation)


def invocation(
    node_type: str,
    *,
    title: str | None = None,
    category: str = "other",
    tags: Sequence[str] = (),
    version: str = "1.0.0",
    use_cache: bool = True,
    lane: Lane = Lane.CPU,
    kind: NodeKind = NodeKind.PLAIN,
    max_batch: int = 1,
    classification: Classification = Classification.STABLE,
) -> Callable[[type[InvocationT]], type[InvocationT]]:
    """Declare a node class: ``@invocation("img_resize", title="Resize image", category="image", version="1.0.0")``.

    `node_type` is its name in graphs, unique among all plugins: lower-case letters, digits, underscores.
    `use_cache=False` for a node whose result differs from run to run (random numbers) or that costs money.
    `max_batch`, two or more, for one that overrides `batch_key` and `invoke_batch`: how many nodes one call takes.
    The class itself is returned, unchanged but for its `spec`. Raises `NodeDeclarationError`, saying what to mend.
    """

    def declare(cls: type[InvocationT]) -> type[InvocationT]:
        _check_name_and_version(cls, node_type, version)
        own_inputs = {name: info for name, info in cls.model_fields.items() if name not in NODE_ATTRIBUTES}
        taken = RESERVED_INPUT_NAMES & own_inputs.keys()
        if taken:
            raise NodeDeclarationError(node_type, f"input {min(taken)!r} has a name that documents use; rename it")
        result = result_of(cls.invoke, node_type)
        if result.yields and kind is not NodeKind.PLAIN:
            raise NodeDeclarationError(
                node_type, f"a node of kind {kind.value!r} cannot yield; return the output, or leave the kind out"
            )
        check_group(cls, BaseInvocation, node_type, max_batch=max_batch, kind=kind, yields=result.yields)
        if cls.model_fields["use_cache"].default != use_cache:
            # the default a graph falls back to must be the one that is declared
            cls.model_fields["use_cache"].default = use_cache
            if cls.__pydantic_complete__:  # else it is built when it is first used, with this default
                cls.model_rebuild(force=True)
        cls.spec = NodeSpec(
            type=node_type,
            title=title or node_type.replace("_", " ").capitalize(),
            description=(cls.__doc__ or "").strip(),
            category=category,
            tags=tuple(tags),
            version=version,
            lane=lane,
            kind=kind,
            classification=classification,
            use_cache=use_cache,
            yields=result.yields,
            max_batch=max_batch,
            invocation=cls,
            output=result.output,
            inputs={name: InputSpec(name, info) for name, info in own_inputs.items()},
            outputs={name: OutputSpec(name, info) for name, info in result.output.model_fields.items()},
        )
        return cls

    return declare


def _check_name_and_version(cls: type[BaseInvocation], node_type: str, version: str) -> None:
    if not _NODE_TYPE.match(node_type):
        raise NodeDeclarationError(
            cls.__name__, f"node type {node_type!r} must be lower-case letters, digits and underscores, e.g. 'my_node'"
        )
    if not _VERSION.match(version):
        raise NodeDeclarationError(node_type, f"version {version!r} must be major.minor.patch, e.g. '1.0.0'")
    if cls.invoke is BaseInvocation.invoke:
        raise NodeDeclarationError(node_type, f"{cls.__name__} must override invoke(self, context)")
