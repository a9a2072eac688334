"""Building a graph: nodes, edges, anchors."""

import pytest

from impasto_sdk.draft import DraftNode, DraftPort, GraphDraft
from impasto_sdk.errors import DraftError
from impasto_sdk.fields import ImageField, MetadataField, ModelIdentifierField


@pytest.fixture
def draft():
    return GraphDraft()


def edges(draft):
    """Every edge as ``source.field -> destination.field``."""
    return [
        "{source[node_id]}.{source[field]} -> {destination[node_id]}.{destination[field]}".format(**edge)
        for edge in draft.to_document()["edges"]
    ]


def test_a_node_is_called_after_its_type_and_numbered_when_that_is_taken(draft):
    ids = [draft.add("noise").id for _ in range(3)]
    assert ids == ["noise", "noise_2", "noise_3"]


def test_a_number_that_was_chosen_by_hand_is_not_given_again(draft):
    draft.add("noise", id="noise_2")
    assert [draft.add("noise").id for _ in range(2)] == ["noise", "noise_3"]


def test_a_chosen_id_is_kept_and_cannot_be_taken_twice(draft):
    assert draft.add("noise", id="seed noise").id == "seed noise"
    with pytest.raises(DraftError, match="'seed noise' is taken by a noise node"):
        draft.add("integer", id="seed noise")


def test_values_are_written_as_json_and_none_is_left_out(draft):
    draft.add(
        "n",
        image=ImageField(image_name="a.png"),
        images=[ImageField(image_name="b.png")],
        metadata=MetadataField({"seed": 1}),
        steps=3,
        nothing=None,
        is_intermediate=True,
    )
    assert draft.to_document()["nodes"]["n"] == {
        "id": "n",
        "type": "n",
        "image": {"image_name": "a.png"},
        "images": [{"image_name": "b.png"}],
        "metadata": {"seed": 1},
        "steps": 3,
        "is_intermediate": True,
    }


def test_a_port_among_the_values_becomes_an_edge(draft):
    seed = draft.add("integer", value=3)
    draft.add("noise", seed=seed.output("value"))
    assert edges(draft) == ["integer.value -> noise.seed"]
    assert "seed" not in draft.to_document()["nodes"]["noise"]


def test_connecting_an_input_drops_the_value_it_had(draft):
    noise, seed = draft.add("noise", seed=1), draft.add("integer")
    draft.connect(seed.output("value"), noise.input("seed"))
    assert "seed" not in draft.to_document()["nodes"]["noise"]


def test_setting_changes_a_node_that_is_there(draft):
    noise = draft.add("noise", seed=1)
    draft.set(noise, seed=2, model=ModelIdentifierField(key="k"))
    document = draft.to_document()["nodes"]["noise"]
    assert (document["seed"], document["model"]["key"]) == (2, "k")


def test_setting_an_input_to_a_port_connects_it(draft):
    noise, seed = draft.add("noise", seed=1), draft.add("integer")
    draft.set(noise, seed=seed.output("value"))
    assert edges(draft) == ["integer.value -> noise.seed"]
    assert "seed" not in draft.to_document()["nodes"]["noise"]


def test_an_input_may_be_called_node(draft):
    draft.add("n", node=1)
    assert draft.to_document()["nodes"]["n"]["node"] == 1


@pytest.mark.parametrize("wrong", ["source", "destination"])
def test_an_edge_with_an_unknown_end_names_the_nodes_there_are(draft, wrong):
    known, unknown = draft.add("noise"), DraftNode("gone", "noise")
    source, destination = (unknown, known) if wrong == "source" else (known, unknown)
    with pytest.raises(DraftError, match="no node 'gone' in this draft; it has noise"):
        draft.connect(source.output("noise"), destination.input("seed"))


def test_an_edge_the_wrong_way_round_is_refused(draft):
    a, b = draft.add("a"), draft.add("b")
    with pytest.raises(DraftError, match="is an input, an edge needs an output"):
        draft.connect(a.input("x"), b.input("y"))
    with pytest.raises(DraftError, match="is an output, an edge needs an input"):
        draft.connect(a.output("x"), b.output("y"))
    assert edges(draft) == []


def test_setting_or_anchoring_a_node_of_another_draft_is_refused(draft):
    stranger = GraphDraft().add("noise")
    with pytest.raises(DraftError, match="it has none"):
        draft.set(stranger, seed=1)
    with pytest.raises(DraftError, match="no node 'noise'"):
        draft.anchor("noise", stranger.output("noise"))


def test_an_anchor_is_found_by_name_and_an_unknown_one_names_the_others(draft):
    loader = draft.add("loader")
    draft.anchor("unet", loader.output("unet"))
    draft.anchor("clip", loader.output("clip"))
    assert draft.find("unet") == DraftPort("loader", "unet", "output")
    with pytest.raises(DraftError, match="no anchor 'vae'; this draft has clip, unet"):
        draft.find("vae")


def test_anchors_are_given_as_a_copy(draft):
    draft.anchor("unet", draft.add("loader").output("unet"))
    draft.anchors.clear()
    assert list(draft.anchors) == ["unet"]


@pytest.fixture
def model(draft):
    """A loader whose unet two nodes read, under the anchor ``unet``."""
    loader = draft.add("loader")
    draft.add("denoise", unet=loader.output("unet"))
    draft.add("refine", unet=loader.output("unet"), clip=loader.output("clip"))
    draft.anchor("unet", loader.output("unet"))
    return loader


def test_an_inserted_node_stands_between_the_anchor_and_all_its_readers(draft, model):
    draft.insert("unet", draft.add("lora"), input="unet", output="unet")
    assert sorted(edges(draft)) == [
        "loader.clip -> refine.clip",
        "loader.unet -> lora.unet",
        "lora.unet -> denoise.unet",
        "lora.unet -> refine.unet",
    ]


def test_insertions_stack_in_the_order_they_are_made(draft, model):
    for name in ("first", "second"):
        draft.insert("unet", draft.add("lora", id=name), input="unet", output="patched")
    assert sorted(edges(draft)) == [
        "first.patched -> second.unet",
        "loader.clip -> refine.clip",
        "loader.unet -> first.unet",
        "second.patched -> denoise.unet",
        "second.patched -> refine.unet",
    ]
    assert draft.find("unet") == DraftPort("second", "patched", "output")


def test_inserting_at_an_input_anchor_says_to_connect_instead(draft, model):
    draft.anchor("control", DraftNode("denoise", "denoise").input("control"))
    with pytest.raises(DraftError, match=r"denoise\.control\); connect to it instead"):
        draft.insert("control", draft.add("lora"), input="unet", output="unet")


def test_nodes_are_listed_in_order_all_or_of_one_type(draft):
    for node_type in ("a", "b", "a"):
        draft.add(node_type)
    assert [node.id for node in draft.nodes()] == ["a", "b", "a_2"]
    assert [node.id for node in draft.nodes("a")] == ["a", "a_2"]


def test_changing_a_document_does_not_change_the_draft(draft):
    draft.add("a", value=1)
    draft.to_document()["nodes"]["a"]["value"] = 2
    assert draft.to_document()["nodes"]["a"]["value"] == 1
