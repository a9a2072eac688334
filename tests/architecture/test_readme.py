"""What the README shows is true: its node runs, its links lead somewhere."""

import re
import types
from pathlib import Path

import pytest
from PIL import Image
from support.documentation import code_blocks
from support.sources import WORKSPACE

from impasto_sdk.testing import FakeContext, run_node

PAGES = [WORKSPACE / "README.md", WORKSPACE / "core" / "README.md", *sorted((WORKSPACE / "docs").rglob("*.md"))]
PAGES += sorted((WORKSPACE / "plugins").glob("*/README.md"))


def test_the_first_node_runs_as_it_is_printed() -> None:
    (code,) = code_blocks(WORKSPACE / "README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 22, "the README promises a short node"
    module = types.ModuleType("first_node")
    exec(code, vars(module))
    (node,) = module.register_invocations()
    context = FakeContext()
    image = context.images.add(Image.linear_gradient("L").convert("RGB"))
    output = run_node(node(image=image, bits=1), context)
    made = context.images.load(output.image)
    assert set(made.tobytes()) == {0, 128}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(WORKSPACE)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
