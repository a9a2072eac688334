"""The page on providers shows the plugin that the tests run, to the letter."""

from pathlib import Path

import support.easel

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_shows_the_whole_plugin_and_it_is_short() -> None:
    plugin = Path(support.easel.__file__).read_text("utf-8").rstrip()
    page = (ROOT / "docs" / "authors" / "providers.md").read_text("utf-8")
    assert plugin in page
    assert len(plugin.splitlines()) < 80
