"""Graphs that other programs made find here the nodes they name, with the fields they set."""

from pathlib import Path

import pytest
from support.signatures import read_signatures, signature

from impasto_image.nodes import NODES

SIGNATURES = read_signatures(Path(__file__).with_name("signatures.json"))
#: Nodes that other programs do not have.
OWN = {"image_tiles"}


@pytest.mark.parametrize("node", [node for node in NODES if node.spec.type not in OWN], ids=lambda node: node.spec.type)
def test_a_node_has_the_version_fields_defaults_bounds_and_outputs_that_graphs_expect(node):
    assert signature(node.spec) == SIGNATURES[node.spec.type]


def test_no_node_that_graphs_expect_is_left_out():
    assert {node.spec.type for node in NODES} - OWN == SIGNATURES.keys()
