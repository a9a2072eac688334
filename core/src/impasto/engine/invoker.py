"""`NodeInvoker`: one execution of one node, from hydrated inputs to its output. It knows nothing of graphs.

`prepare` and `execute` are apart, because a node is announced between them, and touch no state of a run, so that
several nodes may be under way at once. Called by the runner.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from impasto.cache import InvocationCache, invocation_key
from impasto.engine.references import References, find_references
from impasto.errors import NodeInputError
from impasto.graph import nearest_multiples
from impasto.host import Catalogue
from impasto.scheduler import ExecutionNode
from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import BaseInvocationOutput, JsonValue
from impasto_sdk.node import BaseInvocation

__all__ = ["Execution", "Finished", "NodeInvoker", "OutputTypeError"]

_ATTRIBUTES = frozenset({"id", "type", "is_intermediate", "use_cache"})


class OutputTypeError(TypeError):
    """A node gave something else than the output it declares. `node_type` names it, `found` the class it gave."""

    def __init__(self, node_type: str, declared: str, found: str) -> None:
        super().__init__(f"node type {node_type!r} declares that it gives {declared}, and gave {found}")
        self.node_type = node_type
        self.found = found


@dataclass(frozen=True, slots=True)
class Execution:
    """A node that is ready to be invoked."""

    node: ExecutionNode
    instance: BaseInvocation
    #: The node as a document, with its inputs.
    document: dict[str, JsonValue]


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

    def prepare(self, node: ExecutionNode, inputs: Mapping[str, object]) -> Execution:
        """Make the node's instance. Raises `NodeInputError` for the first value that does not fit its input."""
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
        return Execution(node, instance, instance.to_document())

    def execute(self, execution: Execution, context: InvocationContext) -> Finished:
        """Invoke the node. Raises whatever it raises, and `OutputTypeError` for an output that it does not declare."""
        spec = execution.node.spec
        key = self._key(execution) if execution.instance.use_cache else None
        if key is not None and (hit := self._find(key, execution)) is not None:
            return hit
        output = execution.instance.invoke(context)
        if not isinstance(output, spec.output):
            raise OutputTypeError(spec.type, spec.output.__name__, type(output).__name__)
        document = output.to_document()
        if key is not None:
            self._cache.put(key, document)
        return Finished(output, document, cached=False)

    def _key(self, execution: Execution) -> str:
        spec, document = execution.node.spec, execution.document
        inputs = {name: value for name, value in document.items() if name not in _ATTRIBUTES}
        # an image kept out of the gallery is no substitute for one that belongs there
        inputs["is_intermediate"] = execution.node.is_intermediate
        return invocation_key(spec, self._catalogue.plugin_of(spec.type).version, inputs)

    def _find(self, key: str, execution: Execution) -> Finished | None:
        document = self._cache.get(key, self._is_whole)
        if document is None:
            return None
        return Finished(execution.node.spec.output.model_validate(document), document, cached=True)

    def _is_whole(self, document: dict[str, JsonValue]) -> bool:
        references = find_references(document)
        return not references or self._all_exist(references)


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
