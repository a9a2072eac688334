"""Settings come from flags, the environment, the file and the defaults, and say what is wrong with them."""

from pathlib import Path

import pytest

from impasto.errors import SettingsError
from impasto.settings import SETTINGS_FILE, Settings


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"IMPASTO_{name.upper()}", raising=False)


def write(root: Path, text: str) -> Path:
    (root / SETTINGS_FILE).write_text(text)
    return root


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path, "port: 1\nprecision: float16\nmax_attempts: 5\n")
    monkeypatch.setenv("IMPASTO_PORT", "2")
    monkeypatch.setenv("IMPASTO_PRECISION", "bfloat16")
    settings = Settings.load(root=root, flags={"port": 3})
    assert (settings.port, settings.precision, settings.max_attempts) == (3, "bfloat16", 5)
    assert settings.previews is True


def test_lists_and_nested_values_can_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_DEVICES", '["cuda:0", "cuda:1"]')
    monkeypatch.setenv("IMPASTO_PLUGINS__PAPER__WEIGHT", "90")
    settings = Settings.load(root=tmp_path)
    assert settings.devices == ["cuda:0", "cuda:1"]
    assert settings.plugins == {"paper": {"weight": "90"}}


def test_a_list_in_the_environment_that_is_not_json_is_named_with_how_to_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPASTO_DEVICES", "cuda")
    with pytest.raises(SettingsError, match=r"IMPASTO_DEVICES = 'cuda' is not JSON; write it as \["):
        Settings.load(root=tmp_path)


def test_the_root_comes_from_the_flag_or_the_environment_and_is_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.load().root == tmp_path / "impasto-data"
    monkeypatch.setenv("IMPASTO_ROOT", "elsewhere")
    assert Settings.load().root == tmp_path / "elsewhere"
    assert Settings.load(root=Path("here")).root == tmp_path / "here"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prot: 1\n", "no setting is called 'prot'"),
        ("9090: port\n", "no setting is called 9090"),
        ("port: many\n", "port = 'many'"),
        ("- port\n", "must hold `name: value` lines, not a list"),
        ("port: [1\n", "not YAML: .* in line 2, column 1"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line_that_names_it(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        Settings.load(root=write(tmp_path, text))
    assert str(tmp_path / SETTINGS_FILE) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes").mkdir()
    (tmp_path / "bytes" / SETTINGS_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"impasto\.yaml: cannot be read: it is no text"):
        Settings.load(root=tmp_path / "bytes")
    (tmp_path / "folder" / SETTINGS_FILE).mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"impasto\.yaml: cannot be read: Is a directory"):
        Settings.load(root=tmp_path / "folder")
