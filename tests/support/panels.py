"""Toy panels and contributed sections, for tests of what serves panels.

`TOY_PANEL` multiplies a number by adding it: it has one field of most kinds, the anchors ``sum``, ``b`` and ``seed``,
and nodes of `support.toys`. `NOISE_SECTION` repeats and rewires its graph.
"""

from collections.abc import Sequence

from impasto_sdk.draft import GraphDraft
from impasto_sdk.errors import PanelProblem, PanelValuesError
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels import (
    Image,
    Integer,
    Model,
    Panel,
    PanelSection,
    PanelValues,
    Repeat,
    Secret,
    Section,
    Seed,
    Submit,
    Text,
    fact,
    same_as,
    when,
)

__all__ = ["NOISE_SECTION", "TOY_PANEL", "build_toy_graph", "toy_values"]


def build_toy_graph(values: PanelValues) -> GraphDraft:
    """``start + seed``; refuses a prompt that says so."""
    if values.text("prompt") == "refuse me":
        raise PanelValuesError("toy.sum", [PanelProblem("/prompt", "this prompt is refused", "something else")])
    draft = GraphDraft()
    start = draft.add("toy_integer", id="start", value=values.integer("steps"))
    total = draft.add("toy_add", id="total", a=start.output("value"), b=values.seed("seed"))
    draft.anchor("sum", start.output("value"))
    draft.anchor("seed", total.input("b"))
    return draft


def _upgrade(version: int, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {**values, "steps": values["steps"] * 10} if version < 2 and "steps" in values else values


TOY_PANEL = Panel(
    id="toy.sum",
    title="Sum",
    values_version=3,
    order=5,
    makes="text",
    anchors=("sum", "seed"),
    submit=Submit(count="count", max_count=4),
    sections=[
        Section(
            id="main",
            title="Main",
            fields=[
                Text(id="prompt", title="Prompt", required=True, max_length=20),
                Model(id="model", title="Model", required=True, where={"type": "main"}),
                Integer(
                    id="steps",
                    title="Steps",
                    default=fact("model", "defaults.steps", otherwise=3),
                    min=1,
                    max=fact("model", "max_steps", otherwise=500),
                    renamed_from=["iterations"],
                ),
                Seed(id="seed", title="Seed", default={"mode": "random"}, max=1000),
                Integer(id="count", title="Images", default=1, min=1),
                Image(id="image", title="Image", optional=True, accept=["image/png"]),
                Secret(id="token", title="Token"),
                Text(id="remark", title="Remark", recall="never"),
            ],
        )
    ],
    build_graph=build_toy_graph,
    upgrade=_upgrade,
)


def _add_noise(items: Sequence[PanelValues], draft: GraphDraft, values: PanelValues) -> None:
    for item in items:
        node = draft.add("toy_add", b=item.integer("amount"))
        draft.insert("sum", node, input="a", output="value")


#: Adds each item's amount to what the anchor ``sum`` gives, one node after the other.
NOISE_SECTION = PanelSection(
    section=Section(
        id="noise.parts",
        title="Noise",
        order=20,
        repeat=Repeat(max=2, toggle=True),
        visible_when=when("/model").fact("supports").has("noise"),
        fields=[
            Integer(id="amount", title="Amount", default=fact("model", "amount", otherwise=7), min=0),
            Model(id="model", title="Source", where={"type": "noise", "base": same_as("/model#base")}),
            Seed(id="seed", title="Own seed", default={"mode": "random"}, max=10),
        ],
    ),
    needs=("sum",),
    apply=_add_noise,
)


def toy_values(**values: JsonValue) -> dict[str, JsonValue]:
    """Values that the toy panel accepts in a world with the model ``small``, with `values` in their place."""
    return {"prompt": "a fox", "model": {"key": "small"}, **values}
