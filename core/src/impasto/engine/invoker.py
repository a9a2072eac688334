"""`NodeInvoker`: one execution of one node, from hydrated inputs to its output. It knows nothing of graphs.

`prepare` and `execute` are apart, because a node is announced between them, and touch no state of a run, so that
several nodes may be under way at once. Called by the runner; a node that yields is led by an `OpenGenerator`.
"""

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from impasto.cache import InvocationCache, invocation_key
from impasto.engine.references import References, find_references
from impasto.errors import NodeInputError
from impasto.graph import nearest_multiples
from impasto.host import Catalogue
from impasto.scheduler import ExecutionNode
from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import BaseInvocationOutput, JsonValue
from impasto_sdk.node import BaseInvocation, NodeSpec

__all__ = ["Execution", "Finished", "GroupOutputsError", "NodeInvoker", "OutputTypeError"]

_ATTRIBUTES = frozenset({"id", "type", "is_intermediate", "use_cache"})


class OutputTypeError(TypeError):
    """A node gave something else than the output it declares. `node_type` names it, `found` the class it gave."""

    def __init__(self, node_type: str, declared: str, found: str, fix: str = "") -> None:
        problem = f"node type {node_type!r} declares that it gives {declared}, and gave {found}"
        super().__init__(f"{problem}; {fix}" if fix else problem)
        self.node_type = node_type
        self.found = found


class GroupOutputsError(TypeError):
    """A call of several nodes did not give one output for each.

    `node_type` names their type, `expected` is how many they were, `found` what the call gave, in words.
    """

    def __init__(self, node_type: str, expected: int, outputs: object) -> None:
        found = f"{len(outputs)} outputs" if isinstance(outputs, Sequence) else f"a {type(outputs).__name__}"
        super().__init__(
            f"{expected} nodes of type {node_type!r} ran as one call, which gave {found}; return a list from "
            "invoke_batch, with one output for each node, in their order"
        )
        self.node_type = node_type
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class Execution:
    """A node that is ready to be invoked."""

    node: ExecutionNode
    instance: BaseInvocation
    #: The node as a document, with its inputs.
    document: dict[str, JsonValue]
    #: The distribution that the node comes from.
    plugin: str
    #: What its output is remembered under, and that of every equal one; None when it is not to be remembered.
    key: str | None
    #: What it has in common with those that it may run with as one call; None when it runs alone.
    batch_key: Hashable | None


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of an execution."""

    output: BaseInvocationOutput
    document: dict[str, JsonValue]
    #: Whether it came from the invocation cache.
    cached: bool


class NodeInvoker:
    """Invokes nodes, or takes their output from the cache. `all_exist` says whether everything referred to is there."""

    def __init__(self, catalogue: Catalogue, cache: InvocationCache, all_exist: Callable[[References], bool]) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._all_exist = all_exist
        #: By node type, what checks and writes the items that it yields.
        self._items: dict[str, TypeAdapter[Any]] = {}

    def prepare(self, node: ExecutionNode, inputs: Mapping[str, object]) -> Execution:
        """Make the node's instance. Raises `NodeInputError` for the first value that does not fit its input.

        Also whatever its `batch_key` raises, and `TypeError` for one that cannot be compared.
        """
        values = {
            **inputs,
            "id": node.id,
            "is_intermediate": node.is_intermediate,
            "use_cache": node.use_cache,
        }
        try:
            instance = node.spec.invocation.model_validate(values)
        except ValidationError as error:
            raise _input_error(node, error) from error
        document = instance.to_document()
        plugin = self._catalogue.plugin_of(node.spec.type)
        key = self._key(node, document, plugin.version) if instance.use_cache and self._cache.enabled else None
        return Execution(node, instance, document, plugin.name, key, _batch_key(node, instance))

    def execute(self, execution: Execution, context: InvocationContext) -> Finished:
        """Invoke the node. Raises whatever it raises, and `OutputTypeError` for an output that it does not declare."""
        return self.find(execution, context) or self.finished(execution, execution.instance.invoke(context))

    def invoke_together(
        self, executions: Sequence[Execution], contexts: Sequence[InvocationContext]
    ) -> Sequence[object]:
        """Invoke nodes of one type and one batch key as one call, or a single one by itself; gives what each returned.

        Raises whatever they raise, and `GroupOutputsError` when the call does not give as many outputs.
        """
        instances = [execution.instance for execution in executions]
        if len(instances) < 2:
            return [instance.invoke(context) for instance, context in zip(instances, contexts, strict=True)]
        spec = executions[0].node.spec
        outputs: object = spec.invocation.invoke_batch(instances, contexts)
        if not isinstance(outputs, Sequence) or len(outputs) != len(instances):
            raise GroupOutputsError(spec.type, len(instances), outputs)
        return outputs

    def begin(self, execution: Execution, context: InvocationContext) -> Generator[object, None, object]:
        """Invoke a node that yields; nothing of it runs before its first item is asked for."""
        generator = execution.instance.invoke(context)
        assert isinstance(generator, Generator)  # `@invocation` has looked
        return generator

    def find(self, execution: Execution, context: InvocationContext) -> Finished | None:
        """The output of an equal execution, while all it refers to is there, as the node wants to `reuse` it.

        Raises what that raises, and `OutputTypeError` for an output that the node does not declare.
        """
        document = self._cache.get(execution.key, self.is_whole) if execution.key is not None else None
        if document is None:
            return None
        output = execution.node.spec.output.model_validate(document)
        reused = execution.instance.reuse(output, context)
        if reused is output:
            return Finished(output, document, cached=True)
        return replace(self.finished(execution, reused), cached=True)

    def is_whole(self, document: JsonValue) -> bool:
        """Whether all images and files that an output refers to are there."""
        references = find_references(document)
        return not references or self._all_exist(references)

    def finished(self, execution: Execution, output: object) -> Finished:
        """What a node has returned. Raises `OutputTypeError` for an output that it does not declare."""
        spec = execution.node.spec
        if not isinstance(output, spec.output):
            fix = "return the output after the last item" if spec.yields and output is None else ""
            raise OutputTypeError(spec.type, spec.output.__name__, type(output).__name__, fix)
        return Finished(output, output.to_document(), cached=False)

    def remember(self, execution: Execution, finished: Finished) -> None:
        """Keep an output for later; said once it counts, so that nothing is found which is taken back after all."""
        if execution.key is not None and not finished.cached:
            self._cache.put(execution.key, finished.document)

    def item_adapter(self, spec: NodeSpec) -> TypeAdapter[Any]:
        """Checks an item that a node of a type yields, and writes it as a document."""
        adapter = self._items.get(spec.type)
        if adapter is None:
            (item,) = get_args(spec.output.model_fields["collection"].annotation)
            adapter = self._items[spec.type] = TypeAdapter(item)
        return adapter

    @staticmethod
    def _key(node: ExecutionNode, document: Mapping[str, JsonValue], plugin_version: str) -> str:
        inputs = {name: value for name, value in document.items() if name not in _ATTRIBUTES}
        # an image kept out of the gallery is no substitute for one that belongs there
        inputs["is_intermediate"] = node.is_intermediate
        return invocation_key(node.spec, plugin_version, inputs)


def _batch_key(node: ExecutionNode, instance: BaseInvocation) -> Hashable | None:
    key = instance.batch_key() if node.spec.max_batch > 1 else None
    try:
        hash(key)
    except TypeError as error:
        raise TypeError(
            f"batch_key of node type {node.spec.type!r} gave {_brief(key)}, which has no hash; give a number, a text "
            "or a tuple of them"
        ) from error
    return key


def _input_error(node: ExecutionNode, error: ValidationError) -> NodeInputError:
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return NodeInputError(
            f"node {node.id!r} ({node.spec.type}): input {field!r} is neither set nor connected",
            node_id=node.source_id,
            field=field,
        )
    value, port = problem["input"], node.spec.inputs.get(field)
    return NodeInputError(
        f"node {node.id!r} ({node.spec.type}): {field} = {_brief(value)}: {problem['msg']}",
        node_id=node.source_id,
        field=field,
        value=value,
        suggestion=nearest_multiples(port.adapter, error, value) if port is not None else None,
    )


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
