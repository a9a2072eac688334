"""The README lists the nodes that there are."""

from pathlib import Path

from support.documentation import node_table

import impasto_image
from impasto_image.nodes import NODES

README = Path(impasto_image.__file__).parents[2] / "README.md"


def test_the_table_of_nodes_is_up_to_date():
    assert node_table(NODES) in README.read_text("utf-8")
