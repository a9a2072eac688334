"""The generated parts of the documentation say what the code says, and what they say is worth reading."""

import importlib.util
import inspect
from types import ModuleType

import pytest
from support.sources import WORKSPACE


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_reference", WORKSPACE / "scripts" / "write_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_generated_page_is_up_to_date(writer: ModuleType) -> None:
    stale = [str(path.relative_to(WORKSPACE)) for path in writer.out_of_date()]
    assert stale == [], "run `make reference`"


def test_every_hook_is_of_a_known_kind_documented_and_on_the_page(writer: ModuleType) -> None:
    page = writer.HOOKS_PAGE.read_text("utf-8")
    hooks = writer.all_hooks()
    assert len(hooks) >= 20
    for hook in hooks:
        assert hook.__name__.split("_", 1)[0] in writer.KINDS
        assert inspect.getdoc(hook), f"{hook.__name__} has no documentation"
        assert f"### `{hook.__name__}`" in page


def test_every_setting_has_a_description(writer: ModuleType) -> None:
    assert [name for name, field in writer.Settings.model_fields.items() if not field.description] == []
