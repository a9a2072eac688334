"""What is wrong with a node or a plugin, as sentences.

Pure checks behind `NodeConformance` and `plugin_conformance`. Each gives every problem it finds, so that an author
mends them in one go.
"""

import functools
import inspect
import json
import os
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from impasto_sdk import hookspecs
from impasto_sdk.hookspecs import PROJECT_NAME
from impasto_sdk.node import BaseInvocation, InputSpec, NodeSpec
from impasto_sdk.providers import ExternalProvider

__all__ = ["HEAVY_MODULES", "import_problems", "node_problems", "plugin_problems"]

#: What no module of a plugin may import at its top: the catalogue must load in a moment, and in the server.
HEAVY_MODULES = ("torch", "diffusers", "transformers", "cv2", "scipy")

_IMPORT_SCRIPT = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
for name, hook in vars(module).items():
    if name.startswith("register_") and hasattr(hook, sys.argv[2]):
        hook()
print(json.dumps(sorted(set(sys.argv[3:]) & set(sys.modules))))
"""


def node_problems(spec: NodeSpec) -> list[str]:
    """What a node type lacks to be understood by a person and a client: words, and a schema in JSON."""
    return [f"{spec.type}: {problem}" for problem in _node_problems(spec)]


@functools.cache  # one look at a module, for all nodes of it
def import_problems(module: str) -> tuple[str, ...]:
    """What is wrong with importing a module in a fresh interpreter: a failure, or one of `HEAVY_MODULES` with it.

    When the module is a plugin, its ``register_*`` hooks are called there as well.
    """
    answer = subprocess.run(  # noqa: S603 - the arguments are a module's name and constants
        [sys.executable, "-c", _IMPORT_SCRIPT, module, f"{PROJECT_NAME}_impl", *HEAVY_MODULES],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        last = answer.stderr.strip().splitlines()[-1:] or [f"exit status {answer.returncode}"]
        return (f"{module} cannot be imported by itself: {last[0]}",)
    return tuple(
        f"importing {module} imports {heavy}; import it inside invoke or inside the loader"
        for heavy in json.loads(answer.stdout.splitlines()[-1])
    )


def plugin_problems(plugin: ModuleType) -> list[str]:
    """What is wrong with a plugin module: its hooks, what they return, the nodes, and what importing it imports."""
    found = list(_hook_problems(plugin))
    for name, hook in _hooks(plugin):
        if name.startswith("register_") and hasattr(hookspecs, name):
            found.extend(_registration_problems(name, hook))
    return [*found, *import_problems(plugin.__name__)]


def _node_problems(spec: NodeSpec) -> Iterator[str]:
    if not spec.description:
        yield "the class needs a docstring: it is the description that a person reads"
    if spec.category == "other":
        yield "state a category: @invocation(..., category='image')"
    if not (spec.output.__doc__ or "").strip():
        yield f"the output class {spec.output.__name__} needs a docstring"
    fields = [port.field for port in spec.inputs.values()] + [port.field for port in spec.outputs.values()]
    names = [*spec.inputs, *spec.outputs]
    for name, field in zip(names, fields, strict=True):
        if not field.description:
            yield f"{name} needs a description"
    for port in spec.inputs.values():
        yield from _input_problems(port)
    try:
        json.dumps(spec.to_document(), allow_nan=False)
    except (TypeError, ValueError) as error:
        yield f"its schema is not JSON: {error}"


def _input_problems(port: InputSpec) -> Iterator[str]:
    default = port.field.get_default(call_default_factory=True, validated_data={})
    if default is not PydanticUndefined:
        try:
            port.adapter.validate_python(default)
        except ValidationError as error:
            yield f"the default of {port.name} breaks its own rules: {error.errors()[0]['msg']}"
    unknown = set(port.port.choice_labels) - {str(choice) for choice in _choices(port.annotation)}
    if unknown:
        yield f"{port.name} labels choices that it does not have: {', '.join(sorted(unknown))}"


def _choices(annotation: object) -> Iterator[object]:
    """The values of every `Literal` in an annotation."""
    if typing.get_origin(annotation) is typing.Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(annotation):
            yield from _choices(part)


def _hooks(plugin: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The functions of a module that are marked with `@hookimpl`."""
    for name, value in vars(plugin).items():
        if callable(value) and hasattr(value, f"{PROJECT_NAME}_impl"):
            yield name, value


def _hook_problems(plugin: ModuleType) -> Iterator[str]:
    specs = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, f"{PROJECT_NAME}_spec")}
    marked = dict(_hooks(plugin))
    if not marked:
        yield f"{plugin.__name__} has no function marked @hookimpl, so it contributes nothing"
    for name, hook in marked.items():
        if name not in specs:
            yield f"{name} is no hook; the hooks are {', '.join(sorted(specs))}"
            continue
        offered = inspect.signature(specs[name]).parameters
        for parameter in inspect.signature(hook).parameters:
            if parameter not in offered:
                yield f"{name} takes {parameter!r}, but the hook offers {', '.join(offered) or 'nothing'}"
    for name, value in vars(plugin).items():
        if name in specs and inspect.isfunction(value) and name not in marked:
            yield f"{name} has the name of a hook but is not marked @hookimpl, so it is never called"


def _registration_problems(name: str, hook: Callable[..., Any]) -> Iterator[str]:
    values = hook()
    if not isinstance(values, Sequence) or isinstance(values, str):
        yield f"{name} gave {values!r}; it must return a list"
        return
    (wanted,) = get_args(get_type_hints(getattr(hookspecs, name))["return"])
    if name == "register_external_providers":
        for provider in values:
            yield from _provider_problems(name, provider)
        return
    if name != "register_invocations":
        for value in values:
            if not isinstance(value, wanted):
                yield f"{name} gave {value!r}, which is no {wanted.__name__}"
        return
    types: set[str] = set()
    for node in values:
        if not (isinstance(node, type) and issubclass(node, BaseInvocation) and hasattr(node, "spec")):
            yield f"{name} gave {node!r}, which is no node class declared with @invocation"
            continue
        yield from node_problems(node.spec)
        if node.spec.type in types:
            yield f"{name} gave two nodes of type {node.spec.type!r}"
        types.add(node.spec.type)


def _provider_problems(hook: str, provider: object) -> Iterator[str]:
    if not (isinstance(provider, type) and issubclass(provider, ExternalProvider)):
        yield f"{hook} gave {provider!r}, which is no subclass of ExternalProvider"
        return
    models = provider.models()
    if not models:
        yield f"{provider.__name__} offers no models, so its node and its panel can never be used"
    ids = [model.id for model in models]
    for twice in sorted({model_id for model_id in ids if ids.count(model_id) > 1}):
        yield f"{provider.__name__} offers two models {twice!r}"
    for model in models:
        unknown = set(model.options or ()) - set(provider.options.model_fields)
        if unknown:
            yield f"{provider.__name__}, {model.id}: {', '.join(sorted(unknown))} is no field of its options"
        if not model.capabilities.modes:
            yield f"{provider.__name__}, {model.id}: it has no mode, so nothing can be asked of it"
