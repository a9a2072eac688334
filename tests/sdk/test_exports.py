"""What the sdk offers: every public name is listed, documented, and found at the root.

Their order within a module is a rule for all distributions, held by the tests of the architecture.
"""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import impasto_sdk

#: Modules that the root gathers whole. Of the panels it takes only what is named after them: their other words
#: (``Text``, ``Section``) mean little outside a form.
GATHERED = (
    "context",
    "contributions",
    "draft",
    "errors",
    "events",
    "extensions",
    "fields",
    "ids",
    "models",
    "node",
    "usage",
)
#: Every module of the sdk but those that need torch.
MODULES = sorted(
    found.name
    for found in pkgutil.walk_packages(impasto_sdk.__path__, "impasto_sdk.")
    if not found.name.startswith("impasto_sdk.torch") and not found.name.endswith("__about__")
)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_lists_every_class_and_function_that_it_defines(name):
    module = importlib.import_module(name)
    defined = {
        member
        for member, value in vars(module).items()
        if member.isidentifier()  # pydantic leaves its parametrized models about, e.g. ``RootModel[...]``
        and not member.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == name
        and not hasattr(value, "impasto_spec")  # a hook is called by pluggy, not imported
    }
    assert defined <= set(module.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_every_listed_class_and_function_is_documented(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for member in module.__all__:
        value = getattr(module, member)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert "__doc__" in vars(value) or inspect.isfunction(value), f"{member} has no docstring of its own"
            assert value.__doc__, f"{member} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_every_public_method_is_documented(name):
    module = importlib.import_module(name)
    undocumented = [
        f"{member}.{attribute}"
        for member in module.__all__
        if inspect.isclass(value := getattr(module, member)) and value.__module__ == name
        for attribute, function in vars(value).items()
        if not attribute.startswith("_")
        and isinstance(function, property | staticmethod | classmethod | type(lambda: None))
        and not inspect.getdoc(getattr(value, attribute))
    ]
    assert undocumented == []


def test_the_root_offers_every_public_name_and_nothing_else():
    panels = importlib.import_module("impasto_sdk.panels").__all__
    expected = {"__version__", "hookimpl", *(name for name in panels if name.startswith("Panel"))}
    for module in GATHERED:
        expected |= set(importlib.import_module(f"impasto_sdk.{module}").__all__)
    assert set(impasto_sdk.__all__) == expected


def test_every_name_of_the_root_is_the_modules_own():
    for module in (*GATHERED, "panels"):
        gathered = importlib.import_module(f"impasto_sdk.{module}")
        for name in set(gathered.__all__) & set(impasto_sdk.__all__):
            assert getattr(impasto_sdk, name) is getattr(gathered, name)


def test_importing_the_sdk_imports_no_torch_no_numpy_no_pillow_and_no_test_kit():
    heavy = "torch", "numpy", "PIL", "pytest", "impasto_sdk.testing", "impasto_sdk.torch"
    answer = subprocess.run(
        [sys.executable, "-c", f"import impasto_sdk, sys; print(set({heavy!r}) & set(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "set()"
