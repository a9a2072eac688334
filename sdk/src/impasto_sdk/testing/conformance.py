"""`NodeConformance`: a test class to inherit; `plugin_conformance`: one call that checks a whole plugin module."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, cast

import pytest
from PIL import Image

from impasto_sdk.errors import CanceledError, NodeDeclarationError
from impasto_sdk.fields import BaseInvocationOutput
from impasto_sdk.node import BaseInvocation
from impasto_sdk.testing.context import FakeContext
from impasto_sdk.testing.problems import import_problems, node_problems, plugin_problems
from impasto_sdk.testing.run import Runnable, Streamable, run_group, run_node, stream_node

__all__ = ["NodeConformance", "plugin_conformance"]


class NodeConformance:
    """The checks that every node should pass. Inherit it for each node, and pytest runs them::

        class TestResizeImage(NodeConformance):
            node = ResizeImage
            inputs = {"image": Image.new("RGB", (8, 8)), "width": 4, "height": 4}

    A Pillow image among the inputs is put into the library and replaced by the `ImageField` that names it. Override
    `make_context` for a node that needs models, settings or secrets. A check that does not hold for a node is named in
    `exceptions` with the reason; it is then skipped, or run as the subclass overrides it.
    """

    #: The node class under test.
    node: ClassVar[type[BaseInvocation]]
    #: Inputs with which it runs in a moment; those that are left out keep their defaults.
    inputs: ClassVar[Mapping[str, Any]] = {}
    #: Of a node type that offers groups, others that may run in one call with it: for each, what it has in the place of
    #: some of `inputs`, e.g. ``({"seed": 2}, {"seed": 3})``.
    together_with: ClassVar[Sequence[Mapping[str, Any]]] = ()
    #: Whether it runs for long, so that it must ask between its steps whether the session was cancelled.
    long_running: ClassVar[bool] = False
    #: Checks that do not hold for this node, by name, with the reason.
    exceptions: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that leaves out its node, or drops a check without a reason."""
        super().__init_subclass__(**kwargs)
        checks = {name for name in vars(NodeConformance) if name.startswith("test_")}
        if cls.__name__.startswith("Test") and not hasattr(cls, "node"):
            raise NodeDeclarationError(cls.__name__, "name the node under test: node = MyNode")
        for name, reason in cls.exceptions.items():
            if name not in checks:
                raise NodeDeclarationError(
                    cls.__name__, f"exceptions names {name!r}; the checks are {', '.join(sorted(checks))}"
                )
            if not reason.strip():
                raise NodeDeclarationError(cls.__name__, f"exceptions gives no reason for {name!r}")
        for name in sorted(checks - cls.exceptions.keys()):
            if getattr(cls, name) is not getattr(NodeConformance, name):
                raise NodeDeclarationError(cls.__name__, f"overrides {name!r}; give the reason in exceptions")

    def make_context(self) -> FakeContext:
        """A fresh context; called for each run. Fill it with what the node needs."""
        return FakeContext()

    @pytest.fixture(autouse=True)
    def _leave_out_exceptions(self, request: pytest.FixtureRequest) -> None:
        name = request.node.originalname
        if name in self.exceptions and getattr(type(self), name) is getattr(NodeConformance, name):
            pytest.skip(self.exceptions[name])

    def test_it_says_what_it_is(self) -> None:
        """Docstring, category, a description of every field, defaults that keep the bounds, a schema in JSON."""
        assert node_problems(self.node.spec) == []

    def test_importing_it_imports_nothing_heavy(self) -> None:
        """Its module, in a fresh interpreter, imports no torch and the like."""
        assert import_problems(self.node.__module__) == ()

    def test_its_document_round_trips(self) -> None:
        """Written as a graph's node and read again, it is the same node."""
        node = self._make_node(self.make_context())
        document = json.loads(json.dumps(node.to_document(), allow_nan=False))
        assert document.pop("type") == self.node.spec.type
        assert self.node.model_validate(document) == node

    def test_it_runs_and_gives_its_declared_output(self) -> None:
        """With the inputs given, in a context that has nothing else. What a node yields is what its output lists."""
        context = self.make_context()
        assert isinstance(self._run(context), self.node.spec.output)

    def test_it_gives_the_same_again(self) -> None:
        """Two runs give the same output and save the same bytes, as the invocation cache takes for granted."""
        if not self.node.spec.use_cache:
            pytest.skip("declared use_cache=False: its result may differ from run to run")
        first, second = self.make_context(), self.make_context()
        assert self._run(first).to_document() == self._run(second).to_document()
        assert _saved(first) == _saved(second)

    def test_it_gives_the_same_in_a_group(self) -> None:
        """Run as one call with the nodes of `together_with`, each gives what it gives alone, and saves the same bytes.

        A node declared with ``use_cache=False`` is run in the group, and not compared. One that offers none passes.
        """
        if self.node.spec.max_batch == 1:
            return
        contexts, outputs = self._run_group()
        if not self.node.spec.use_cache:
            return
        for place, (context, output) in enumerate(zip(contexts, outputs, strict=True)):
            alone = self.make_context()
            expected = run_node(self._make_node(alone, self._differences()[place]), alone)
            assert output.to_document() == expected.to_document(), f"node {place} of the group"
            assert _saved(context) == _saved(alone), f"node {place} of the group saves other bytes than alone"

    def test_it_stops_when_cancelled(self) -> None:
        """With its session cancelled, a long-running node ends with `CanceledError`; a short one may also finish.

        A node that yields is also closed after its first item, as a worker does when the session is cancelled while the
        item is worked on. It must let that happen: yield no more, and leave no model locked. One that offers groups is
        cancelled in a group, too.
        """
        if self.node.spec.yields:
            self._close_after_the_first_item()
        if self.node.spec.max_batch > 1:
            self._check_cancelled(lambda: self._run_group(cancelled=True)[1])
        context = self.make_context()
        node = self._make_node(context)
        context.cancel()
        self._check_cancelled(lambda: run_node(node, context))

    def _check_cancelled(self, run: Callable[[], object]) -> None:
        try:
            output = run()
        except CanceledError:
            return
        assert not self.long_running, f"{self.node.spec.type} finished although its session was cancelled: {output!r}"

    def _make_node(self, context: FakeContext, differences: Mapping[str, Any] = MappingProxyType({})) -> BaseInvocation:
        """The node with its inputs, pictures among them put into the context's library."""
        inputs = {**self.inputs, **differences}
        return self.node(**{name: _stored(value, context) for name, value in inputs.items()})

    def _differences(self) -> list[Mapping[str, Any]]:
        """In what each node of the group differs from `inputs`."""
        assert self.together_with, (
            f"{self.node.spec.type} offers groups; name others that may run in one call with it, by what they have in "
            'the place of inputs: together_with = ({"seed": 2}, {"seed": 3})'
        )
        return [{}, *self.together_with]

    def _run_group(self, *, cancelled: bool = False) -> tuple[list[FakeContext], list[BaseInvocationOutput]]:
        differences = self._differences()
        contexts = [self.make_context() for _ in differences]
        nodes = [self._make_node(context, each) for context, each in zip(contexts, differences, strict=True)]
        for context in contexts if cancelled else ():
            context.cancel()
        return contexts, run_group(cast(list[Runnable[BaseInvocationOutput]], nodes), contexts)

    def _close_after_the_first_item(self) -> None:
        context = self.make_context()
        stream = stream_node(cast(Streamable[Any, BaseInvocationOutput], self._make_node(context)), context)
        next(stream, None)
        stream.close()

    def _run(self, context: FakeContext) -> BaseInvocationOutput:
        return run_node(self._make_node(context), context)


def plugin_conformance(plugin: ModuleType) -> None:
    """Check a plugin module: every hook is one the platform knows, returns what it should, and no node lacks words.

    Raises `AssertionError` with every problem found, one to a line.
    """
    problems = plugin_problems(plugin)
    if problems:
        raise AssertionError(f"{plugin.__name__}:\n" + "\n".join(f"  {problem}" for problem in problems))


def _stored(value: Any, context: FakeContext) -> Any:
    if isinstance(value, Image.Image):
        return context.images.add(value)
    if isinstance(value, list):
        return [_stored(item, context) for item in value]
    return value


def _saved(context: FakeContext) -> list[bytes]:
    return [
        *(image.data for image in context.images.saved),
        *context.tensors.saved.values(),
        *context.conditioning.saved.values(),
    ]
