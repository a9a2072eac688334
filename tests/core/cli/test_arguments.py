"""What is typed becomes what is asked for: sizes, models, panel values, graph values, settings."""

import io
import json
from pathlib import Path

import pytest
from support.workflows import invocation, notes, workflow

from impasto.cli.failures import CommandError, UsageError, lines_of
from impasto.cli.generate import GenerateOptions, find_model, panel_values, parse_size
from impasto.cli.graph_file import GraphFile, read_graph
from impasto.cli.serve import flags_of, line_to_try
from impasto.errors import SettingsError, WorkflowFormatError
from impasto.graph.workflow import read_workflow
from impasto.settings import DEFAULT_ROOT

MODELS = [{"key": "k1", "name": "Impasto starter"}, {"key": "k2", "name": "Other"}, {"key": "k3", "name": "other"}]
GRAPH = {"nodes": {"add": {"type": "add", "a": 1}, "a.b": {"type": "add"}}, "edges": []}


@pytest.mark.parametrize(
    ("text", "size"), [("128x96", (128, 96)), ("128", (128, 128)), ("64×32", (64, 32)), ("64X32", (64, 32))]
)
def test_a_size_is_width_and_height_or_one_side_of_a_square(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "128x", "x128", "0", "-8x8", "wide", "1.5", "128x128x3"])
def test_a_size_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="128x128"):
        parse_size(text)


def test_a_model_is_found_by_key_or_by_name_in_any_case_and_the_first_is_the_default() -> None:
    assert find_model(MODELS, None)["key"] == "k1"
    assert find_model(MODELS, "k2")["key"] == "k2"
    assert find_model(MODELS, "impasto STARTER")["key"] == "k1"


def test_an_unknown_model_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(CommandError, match="did you mean 'Impasto starter'"):
        find_model(MODELS, "Impasto-starter")


def test_a_name_that_two_models_have_asks_for_a_key() -> None:
    with pytest.raises(CommandError, match="k2, k3"):
        find_model(MODELS, "OTHER")


def test_without_any_model_it_says_where_one_comes_from() -> None:
    with pytest.raises(CommandError, match="impasto-starter"):
        find_model([], None)


def test_a_panel_is_given_only_what_was_asked_for() -> None:
    assert panel_values(GenerateOptions(prompt="a red star"), MODELS[0]) == {
        "prompt": "a red star",
        "model": {"key": "k1"},
    }


def test_every_option_reaches_the_panel_under_its_name() -> None:
    options = GenerateOptions(
        prompt="p", seed=0, steps=4, size=(64, 32), negative="", cfg_scale=5, scheduler="euler", strength=0.0, count=3
    )
    assert panel_values(options, MODELS[0]) == {
        "prompt": "p",
        "model": {"key": "k1"},
        "seed": {"mode": "fixed", "value": 0},
        "steps": 4,
        "size": {"width": 64, "height": 32},
        "negative_prompt": "",
        "cfg_scale": 5,
        "scheduler": "euler",
        "strength": 0.0,
        "count": 3,
    }


def test_values_are_put_into_a_graph_as_json_or_else_as_text() -> None:
    settings = ["add.a=2", "add.b=1e3", 'add.c={"x": [1]}', "add.d=a=b", "a.b.e=true", 'add.f="7"']
    graph = GraphFile(GRAPH).with_values(settings).graph
    assert graph["nodes"]["add"] == {"type": "add", "a": 2, "b": 1e3, "c": {"x": [1]}, "d": "a=b", "f": "7"}
    assert graph["nodes"]["a.b"] == {"type": "add", "e": True}
    assert GRAPH["nodes"]["add"] == {"type": "add", "a": 1}, "the graph that was read must stay as it is"


@pytest.mark.parametrize("setting", ["add", "add.a", "add=1", ".a=1", "add.=1"])
def test_a_value_without_a_place_is_refused_with_an_example(setting: str) -> None:
    with pytest.raises(UsageError, match=r"node\.field=value"):
        GraphFile(GRAPH).with_values([setting])


def test_a_value_for_a_node_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="no node 'ad'; did you mean 'add'"):
        GraphFile(GRAPH).with_values(["ad.a=1"])


def test_a_graph_is_read_bare_from_a_batch_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, batch = tmp_path / "bare.json", tmp_path / "batch.json"
    bare.write_text(json.dumps(GRAPH))
    batch.write_text(json.dumps({"graph": GRAPH, "runs": 2}))
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(GRAPH)))
    assert read_graph(bare) == read_graph(batch) == read_graph(Path("-")) == GraphFile(GRAPH)


def test_a_workflow_is_read_as_its_graph_and_kept_with_the_values_that_were_put_in(tmp_path: Path) -> None:
    path = tmp_path / "workflow.json"
    document = workflow([invocation("n", "integer", {"value": 1}), notes("x")])
    path.write_text(json.dumps(document))
    file = read_graph(path)
    changed = file.with_values(["n.value=5"])

    assert file == GraphFile(read_workflow(document).graph, document)
    assert (changed.graph["nodes"]["n"]["value"], list(changed.graph["nodes"])) == (5, ["n"])
    assert changed.workflow is not None
    assert read_workflow(changed.workflow).graph == changed.graph


def test_every_place_of_a_malformed_workflow_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "workflow.json"
    path.write_text('{"nodes": [5, {"id": "a", "type": 7}]}')
    with pytest.raises(WorkflowFormatError) as caught:
        read_graph(path)
    first, *places = lines_of(caught.value)
    assert first == "The workflow is malformed, in 2 places:"
    assert [line.split()[0] for line in places] == ["nodes[0]", "nodes[1].type"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON: .* in line 1, column 2"),
        ("[]", "no graph"),
        ('{"edges": []}', "no graph"),
        ('{"nodes": 3, "edges": []}', "no graph"),
        ('{"nodes": {"a": 3}, "edges": []}', "no graph"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_holds_no_graph_is_refused_in_words(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "graph.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=complaint):
        read_graph(path)


def test_standard_input_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("{"))
    with pytest.raises(CommandError, match="standard input is not JSON"):
        read_graph(Path("-"))


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.json cannot be read: No such file"):
        read_graph(tmp_path / "gone.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="it is no text"):
        read_graph(tmp_path / "bytes.json")


def test_settings_are_read_as_in_the_settings_file() -> None:
    flags = flags_of(
        ["precision=float16", "devices=[cuda:0, cuda:1]", "plugins.sd.tile=512", "previews=no"], port=1, host=None
    )
    assert flags == {
        "port": 1,
        "precision": "float16",
        "devices": ["cuda:0", "cuda:1"],
        "plugins": {"sd": {"tile": 512}},
        "previews": False,
    }


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("precision", "name=value"),
        ("precison=float16", "did you mean 'precision'"),
        ("prot=9091", "did you mean 'port'"),
        ("root=there", "--root"),
        ("zzz=1", "impasto settings"),
        ("precision.x=1", "no setting is called 'precision.x'"),
        ("devices=[", "not YAML"),
    ],
)
def test_what_is_no_setting_is_refused_in_words(assignment: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        flags_of([assignment])


def test_the_line_to_try_names_the_root_unless_it_is_the_usual_one(tmp_path: Path) -> None:
    assert "--root" not in line_to_try(DEFAULT_ROOT.absolute())
    assert line_to_try(tmp_path).endswith(
        f'generate "a red star on a blue background" --out star.png --root {tmp_path}'
    )
