"""Inputs, outputs, and the values that travel on edges."""

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    ColorField,
    ConditioningField,
    ControlField,
    ImageField,
    ImageOutput,
    Input,
    InputField,
    MetadataField,
    ModelIdentifierField,
    OutputField,
    Port,
    UIComponent,
    invocation_output,
    port_of,
)


def info(declared):
    """The field as pydantic keeps it."""
    assert isinstance(declared, FieldInfo)
    return type("Holder", (BaseModel,), {"__annotations__": {"x": object}, "x": declared}).model_fields["x"]


def test_an_input_keeps_the_platforms_facts_in_one_port():
    port = port_of(
        info(
            InputField(
                1,
                description="How strong",
                title="Strength",
                input=Input.DIRECT,
                ui_component=UIComponent.SLIDER,
                ui_hidden=True,
                ui_order=3,
                ui_choice_labels={"a": "A"},
                ui_model_type="main",
                ui_model_base=("sd-1", "sd-2"),
                ui_model_format="diffusers",
            )
        )
    )
    assert port == Port(
        input=Input.DIRECT,
        title="Strength",
        component=UIComponent.SLIDER,
        hidden=True,
        order=3,
        choice_labels={"a": "A"},
        model_filter={"type": ("main",), "base": ("sd-1", "sd-2"), "format": ("diffusers",)},
    )


def test_a_plain_pydantic_field_has_a_plain_port():
    class Holder(BaseModel):
        x: int = 1

    assert port_of(Holder.model_fields["x"]) == Port()


def test_an_input_without_a_default_is_required():
    assert info(InputField(description="…")).is_required()
    assert not info(InputField(None, description="…")).is_required()
    assert info(InputField(default_factory=list)).get_default(call_default_factory=True) == []


@pytest.mark.parametrize(
    ("bound", "good", "bad"),
    [
        ({"ge": 1}, 1, 0),
        ({"gt": 1}, 2, 1),
        ({"le": 1}, 1, 2),
        ({"lt": 1}, 0, 1),
        ({"multiple_of": 8}, 16, 12),
        ({"min_length": 1}, "a", ""),
        ({"max_length": 1}, "a", "ab"),
        ({"pattern": "^a$"}, "a", "b"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_bound_holds(bound, good, bad):
    class Holder(BaseModel):
        x: type(good) = InputField(**bound)

    assert Holder(x=good).x == good
    with pytest.raises(ValidationError):
        Holder(x=bad)


def test_an_output_keeps_its_words():
    field = info(OutputField(description="The number", title="Number", ui_order=2))
    assert field.description == "The number"
    assert port_of(field) == Port(title="Number", order=2)


def test_an_output_class_is_named_in_its_document():
    @invocation_output("pair_output")
    class PairOutput(BaseInvocationOutput):
        """Two numbers."""

        a: int = OutputField(description="One")
        b: int = OutputField(description="The other")

    assert PairOutput.output_type == "pair_output"
    assert PairOutput(a=1, b=2).to_document() == {"type": "pair_output", "a": 1, "b": 2}


@pytest.mark.parametrize("name", ["type", "output_meta"])
def test_an_output_may_not_take_a_name_that_documents_use(name):
    with pytest.raises(NodeDeclarationError, match=name):
        invocation_output("bad_output")(
            type("Bad", (BaseInvocationOutput,), {"__annotations__": {name: int}, name: OutputField()})
        )


def test_an_output_without_a_name_is_refused():
    with pytest.raises(NodeDeclarationError, match="needs a name") as caught:
        invocation_output("")(type("Nameless", (BaseInvocationOutput,), {}))
    assert caught.value.name == "Nameless"


def test_an_output_holds_values_not_pictures():
    document = ImageOutput(image=ImageField(image_name="a.png"), width=4, height=3).to_document()
    assert document == {"type": "image_output", "image": {"image_name": "a.png"}, "width": 4, "height": 3}


def test_a_value_on_an_edge_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        ImageField(image_name="a.png").image_name = "b.png"


def test_a_value_ignores_what_other_clients_add():
    assert ImageField.model_validate({"image_name": "a.png", "board": "b"}) == ImageField(image_name="a.png")


def test_a_colour_keeps_its_bounds_and_gives_a_tuple():
    assert ColorField(r=1, g=2, b=3).tuple() == (1, 2, 3, 255)
    with pytest.raises(ValidationError):
        ColorField(r=256, g=0, b=0)


def test_a_part_of_a_model_is_the_same_model():
    model = ModelIdentifierField(key="k", name="n", base="sd-1", type="main")
    part = model.part("unet")
    assert part.submodel_type == "unet"
    assert part.part("unet") == part
    assert model.submodel_type is None


def test_metadata_is_an_object_of_its_own_on_the_wire():
    assert MetadataField({"seed": 1}).model_dump() == {"seed": 1}
    assert MetadataField.model_validate({"seed": 1}).root == {"seed": 1}


def test_values_within_values_survive_as_json():
    control = ControlField(image=ImageField(image_name="a.png"), control_model=ModelIdentifierField(key="k"))
    assert ControlField.model_validate_json(control.model_dump_json()) == control
    conditioning = ConditioningField(conditioning_name="c")
    assert ConditioningField.model_validate_json(conditioning.model_dump_json()) == conditioning
