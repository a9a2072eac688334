"""The settings are shown with where each comes from."""

from pathlib import Path

import pytest

from impasto.cli.settings_table import settings_in_force
from impasto.errors import SettingsError
from impasto.settings import Settings


def test_each_setting_says_its_value_its_source_and_what_it_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "impasto.yaml").write_text("port: 9191\nprecision: float16\n")
    monkeypatch.setenv("IMPASTO_PRECISION", "bfloat16")
    rows = {row.name: row for row in settings_in_force(tmp_path)}
    found = {name: (rows[name].value, rows[name].source) for name in ("root", "port", "precision", "host")}
    assert found == {
        "root": (str(tmp_path), "flag"),
        "port": (9191, "impasto.yaml"),
        "precision": ("bfloat16", "environment"),
        "host": ("127.0.0.1", "default"),
    }
    assert rows["port"].description == Settings.model_fields["port"].description


def test_an_unusable_settings_file_is_named_with_every_problem(tmp_path: Path) -> None:
    (tmp_path / "impasto.yaml").write_text("port: many\nprot: 1\n")
    with pytest.raises(SettingsError) as caught:
        settings_in_force(tmp_path)
    assert caught.value.source == str(tmp_path / "impasto.yaml")
    assert len(caught.value.problems) == 2
