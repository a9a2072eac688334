"""`plugin_conformance` names what is wrong with a plugin module."""

import importlib
import sys
import textwrap

import pytest

from impasto_sdk.testing import plugin_conformance, plugin_problems

NODE = '''
from impasto_sdk import BaseInvocation, IntegerOutput, InvocationContext, hookimpl, invocation


@invocation("t_one", category="math")
class One(BaseInvocation):
    """One."""

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=1)
'''


@pytest.fixture
def load(tmp_path, monkeypatch, request):
    """Write a plugin module and import it."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(source):
        name = f"made_plugin_{abs(hash(request.node.nodeid))}"
        (tmp_path / f"{name}.py").write_text(NODE + textwrap.dedent(source), "utf-8")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        module = importlib.import_module(name)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return make


def test_a_sound_plugin_has_no_problem(load):
    plugin = load(
        """
        @hookimpl
        def register_invocations():
            return [One]
        """
    )
    assert plugin_problems(plugin) == []
    plugin_conformance(plugin)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", "has no function marked @hookimpl"),
        ("@hookimpl\ndef register_nodes(): return [One]", "register_nodes is no hook; the hooks are before_enqueue"),
        ("@hookimpl\ndef on_event(happening): ...", "on_event takes 'happening', but the hook offers event"),
        (
            "@hookimpl\ndef register_invocations(): return [One]\ndef register_panels(): return []",
            "register_panels has the name of a hook but is not marked @hookimpl",
        ),
        ("@hookimpl\ndef register_invocations(): return None", "gave None; it must return a list"),
        ("@hookimpl\ndef register_invocations(): return [int]", "<class 'int'>, which is no node class"),
        ("@hookimpl\ndef register_invocations(): return [One, One]", "two nodes of type 't_one'"),
        ("@hookimpl\ndef register_settings(): return [3]", "gave 3, which is no SettingsDeclaration"),
        ("@hookimpl\ndef register_model_loaders(): return [One]", "which is no ModelLoader"),
    ],
)
def test_each_problem_is_named(load, source, problem):
    found = plugin_problems(load(source))
    assert len(found) == 1
    assert problem in found[0]


def test_all_problems_are_named_at_once(load):
    plugin = load(
        """
        @hookimpl
        def register_invocations():
            return [int]

        @hookimpl
        def register_nonsense():
            return []
        """
    )
    with pytest.raises(AssertionError, match="no node class") as caught:
        plugin_conformance(plugin)
    assert "register_nonsense is no hook" in str(caught.value)


def test_a_plugin_that_imports_torch_when_it_registers_is_caught(load):
    plugin = load(
        """
        import sys

        @hookimpl
        def register_invocations():
            sys.modules.setdefault("torch", sys)
            return [One]
        """
    )
    try:
        found = plugin_problems(plugin)
    finally:
        if sys.modules.get("torch") is sys:
            del sys.modules["torch"]
    assert any("imports torch" in problem for problem in found)
