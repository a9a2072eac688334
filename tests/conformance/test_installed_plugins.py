"""Every plugin that is installed here, and every node of it, keeps the rules that the test kit holds plugins to."""

import json
from importlib.metadata import entry_points

import pytest
from packaging.requirements import Requirement

import impasto_sdk
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.node import NodeSpec
from impasto_sdk.testing import import_problems, node_problems, plugin_conformance, run_node

PLUGINS = sorted(entry_points(group="impasto.plugins"), key=lambda entry: entry.name)


def _specs() -> list[NodeSpec]:
    registering = [plugin for entry in PLUGINS if hasattr(plugin := entry.load(), "register_invocations")]
    return [node.spec for plugin in registering for node in plugin.register_invocations()]


SPECS = _specs()


def test_the_shipped_plugins_are_installed():
    assert {"primitives", "image", "sd", "starter"} <= {entry.name for entry in PLUGINS}


@pytest.mark.parametrize("entry", PLUGINS, ids=lambda entry: entry.name)
def test_a_plugin_has_no_hook_that_the_platform_does_not_know(entry):
    plugin_conformance(entry.load())


@pytest.mark.parametrize("entry", PLUGINS, ids=lambda entry: entry.name)
def test_a_plugin_says_with_which_sdk_it_works(entry):
    (wanted,) = [
        requirement
        for requirement in map(Requirement, entry.dist.requires or ())
        if requirement.name == "impasto-sdk" and requirement.marker is None
    ]
    assert impasto_sdk.__version__ in wanted.specifier
    assert "99.0" not in wanted.specifier, "a range without an upper end promises what nobody can know"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.type)
def test_a_node_says_what_it_is(spec):
    assert node_problems(spec) == []


@pytest.mark.parametrize("module", sorted({spec.invocation.__module__ for spec in SPECS}))
def test_a_module_of_nodes_imports_nothing_heavy(module):
    assert import_problems(module) == ()


def test_no_two_plugins_give_a_node_of_the_same_type():
    types = [spec.type for spec in SPECS]
    assert sorted(types) == sorted(set(types))


WITH_DEFAULTS = [spec for spec in SPECS if not any(port.required for port in spec.inputs.values())]


@pytest.mark.parametrize("spec", WITH_DEFAULTS, ids=lambda spec: spec.type)
def test_a_node_with_its_defaults_survives_as_a_document(spec):
    node = spec.invocation()
    document = json.loads(json.dumps(node.to_document(), allow_nan=False))
    assert document.pop("type") == spec.type
    assert spec.invocation.model_validate(document) == node


@pytest.mark.parametrize("spec", WITH_DEFAULTS, ids=lambda spec: spec.type)
def test_a_node_with_its_defaults_runs_or_names_the_input_to_mend(spec):
    to_mend = None
    try:
        run_node(spec.invocation())
    except InvalidInputError as error:
        to_mend = error.field
    assert to_mend is None or to_mend in spec.inputs
