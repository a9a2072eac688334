"""The file of hooks is a document: every hook is typed, explained, and of one of the kinds its docstring names."""

import inspect
from typing import get_type_hints

import pluggy
import pytest

from impasto_sdk import hookspecs
from impasto_sdk.hookspecs import PROJECT_NAME, hookimpl

HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, f"{PROJECT_NAME}_spec")}


def test_there_are_hooks_and_pluggy_takes_them():
    manager = pluggy.PluginManager(PROJECT_NAME)
    manager.add_hookspecs(hookspecs)
    assert len(HOOKS) >= 20
    assert set(HOOKS) <= set(dir(manager.hook))


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_of_a_kind_that_its_name_tells(name):
    assert name.startswith(("register_", "identify_", "find_", "before_", "on_"))


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_explained_and_fully_typed(name):
    assert len((HOOKS[name].__doc__ or "").split()) >= 3
    assert set(get_type_hints(HOOKS[name])) == {*inspect.signature(HOOKS[name]).parameters, "return"}


@pytest.mark.parametrize("name", [name for name in HOOKS if name.startswith("on_")])
def test_a_hook_that_is_told_something_returns_nothing(name):
    assert get_type_hints(HOOKS[name])["return"] is type(None)


@pytest.mark.parametrize("name", [name for name in HOOKS if name.startswith("register_")])
def test_a_hook_that_registers_is_asked_nothing(name):
    assert inspect.signature(HOOKS[name]).parameters == {}


def test_an_implementation_may_take_fewer_arguments_than_the_hook_offers():
    class Plugin:
        @hookimpl
        def on_event(self):
            told.append("something")

    told = []
    manager = pluggy.PluginManager(PROJECT_NAME)
    manager.add_hookspecs(hookspecs)
    manager.register(Plugin())
    manager.hook.on_event(event=None)
    assert told == ["something"]
