"""Declaring a node: what is refused, and what the platform then knows."""

import json
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    ImageField,
    ImageOutput,
    Input,
    InputField,
    IntegerOutput,
    OutputField,
    UIComponent,
)
from impasto_sdk.node import (
    BaseInvocation,
    Classification,
    Lane,
    NodeKind,
    WithBoard,
    WithMetadata,
    invocation,
)


@invocation("t_sum", title="Sum", category="math", tags=["add"], version="1.2.3")
class Sum(BaseInvocation):
    """Add two numbers."""

    a: int = InputField(description="The first number")
    b: int = InputField(2, ge=0, le=10, description="The second number")
    how: Literal["plain", "double"] = InputField(
        "plain", description="How", ui_choice_labels={"plain": "As it is"}, ui_component=UIComponent.NONE
    )

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.a + self.b)


@invocation("t_picture", category="image", use_cache=False, lane=Lane.IO, classification=Classification.BETA)
class Picture(BaseInvocation, WithMetadata, WithBoard):
    """Give the picture back."""

    image: ImageField = InputField(description="The image", input=Input.CONNECTION)
    mask: ImageField | None = InputField(None, description="A mask")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        return ImageOutput(image=self.image, width=1, height=1)


def declare(node_type="t_node", *, output: Any = IntegerOutput, body=None, **facts):
    """Declare a node class made on the spot."""

    def invoke(self, context):
        return IntegerOutput(value=1)

    if output is not None:
        invoke.__annotations__["return"] = output
    members = {"invoke": invoke, "__module__": __name__, **(body or {})}
    return invocation(node_type, **facts)(type("Made", (BaseInvocation,), members))


class TestDeclaration:
    @pytest.mark.parametrize("node_type", ["", "Resize", "1st", "img-resize", "img resize", "ünode"])
    def test_a_node_type_is_lower_case_letters_digits_and_underscores(self, node_type):
        with pytest.raises(NodeDeclarationError, match="lower-case") as caught:
            declare(node_type)
        assert caught.value.name == "Made"

    @pytest.mark.parametrize("version", ["1", "1.0", "1.0.0rc1", "v1.0.0", ""])
    def test_a_version_has_three_numbers(self, version):
        with pytest.raises(NodeDeclarationError, match=r"major\.minor\.patch") as caught:
            declare(version=version)
        assert caught.value.name == "t_node"

    def test_a_node_must_do_something(self):
        with pytest.raises(NodeDeclarationError, match="must override invoke"):
            invocation("t_idle")(type("Idle", (BaseInvocation,), {}))

    @pytest.mark.parametrize("output", [None, int, BaseInvocation])
    def test_invoke_must_say_what_it_gives(self, output):
        with pytest.raises(NodeDeclarationError, match="annotated with its output class"):
            declare(output=output)

    def test_an_annotation_that_cannot_be_resolved_is_explained(self):
        with pytest.raises(NodeDeclarationError, match="import its class at the top of the module"):
            declare(output="SomewhereElse")

    def test_an_output_class_without_a_name_is_refused(self):
        class Nameless(BaseInvocationOutput):
            """Has no name."""

            value: int = OutputField(description="One")

        with pytest.raises(NodeDeclarationError, match="lacks @invocation_output"):
            declare(output=Nameless)

    @pytest.mark.parametrize("name", ["type", "version", "workflow"])
    def test_an_input_may_not_take_a_name_that_documents_use(self, name):
        with pytest.raises(NodeDeclarationError, match=f"'{name}'"):
            declare(body={"__annotations__": {name: str}, name: InputField("", description="Taken")})

    def test_declaring_gives_the_class_itself(self):
        assert declare().__name__ == "Made"
        assert Sum.spec.invocation is Sum


class TestSpec:
    def test_a_spec_says_what_was_declared(self):
        spec = Picture.spec
        assert (spec.type, spec.title, spec.description) == ("t_picture", "T picture", "Give the picture back.")
        assert (spec.lane, spec.kind, spec.classification) == (Lane.IO, NodeKind.PLAIN, Classification.BETA)
        assert (spec.use_cache, spec.version, spec.output) == (False, "1.0.0", ImageOutput)

    def test_inputs_are_named_without_the_attributes_that_every_node_has(self):
        assert list(Sum.spec.inputs) == ["a", "b", "how"]
        assert set(Picture.spec.inputs) == {"image", "mask", "metadata", "board"}
        assert list(Picture.spec.outputs) == ["image", "width", "height"]

    def test_an_input_without_a_default_is_required(self):
        assert [name for name, port in Sum.spec.inputs.items() if port.required] == ["a"]

    def test_where_a_value_may_come_from_is_kept(self):
        inputs = Picture.spec.inputs
        assert [(inputs[name].connectable, inputs[name].settable) for name in ("image", "mask", "board")] == [
            (True, False),
            (True, True),
            (False, True),
        ]

    def test_an_adapter_checks_one_value_with_its_bounds(self):
        adapter = Sum.spec.inputs["b"].adapter
        assert adapter.validate_python(10) == 10
        with pytest.raises(ValidationError):
            adapter.validate_python(11)
        image = Picture.spec.inputs["image"].adapter.validate_python({"image_name": "a.png"})
        assert image == ImageField(image_name="a.png")

    def test_the_declared_use_of_the_cache_is_the_default_of_an_instance(self):
        assert Picture(image=ImageField(image_name="a.png")).use_cache is False
        assert Sum(a=1).use_cache is True
        assert Sum(a=1, use_cache=False).use_cache is False


class TestDocument:
    def test_the_document_for_clients_is_json(self):
        for node in (Sum, Picture):
            document = node.spec.to_document()
            assert json.loads(json.dumps(document, allow_nan=False)) == document

    def test_it_holds_the_facts_of_the_node(self):
        document = Sum.spec.to_document()
        assert {key: document[key] for key in ("type", "title", "category", "tags", "version", "lane", "kind")} == {
            "type": "t_sum",
            "title": "Sum",
            "category": "math",
            "tags": ["add"],
            "version": "1.2.3",
            "lane": "cpu",
            "kind": "plain",
        }
        assert document["output_type"] == "integer_output"

    def test_inputs_are_json_schema_with_hints(self):
        properties = Sum.spec.to_document()["input_schema"]["properties"]
        assert list(properties) == ["a", "b", "how"]
        assert (properties["b"]["minimum"], properties["b"]["maximum"], properties["b"]["default"]) == (0, 10, 2)
        assert properties["how"]["enum"] == ["plain", "double"]
        assert properties["how"]["x-ui"] == {
            "input": "any",
            "component": "none",
            "choice_labels": {"plain": "As it is"},
        }
        assert Picture.spec.to_document()["input_schema"]["properties"]["board"]["x-ui"]["input"] == "direct"

    def test_every_reference_in_a_schema_can_be_followed(self):
        schema = Picture.spec.to_document()["input_schema"]
        assert schema["properties"]["image"]["$ref"] == "#/$defs/ImageField"
        assert "image_name" in schema["$defs"]["ImageField"]["properties"]

    def test_required_inputs_are_listed(self):
        assert Sum.spec.to_document()["input_schema"]["required"] == ["a"]


class TestInstance:
    def test_a_node_is_a_document_and_back(self):
        node = Sum(id="sum", a=1, is_intermediate=True)
        document = node.to_document()
        assert document == {
            "type": "t_sum",
            "id": "sum",
            "is_intermediate": True,
            "use_cache": True,
            "a": 1,
            "b": 2,
            "how": "plain",
        }
        del document["type"]
        assert Sum.model_validate(document) == node

    @pytest.mark.parametrize("inputs", [{}, {"a": "one"}, {"a": 1, "b": 11}, {"a": 1, "c": 1}, {"a": 1, "how": "odd"}])
    def test_a_missing_wrong_or_unknown_input_is_refused(self, inputs):
        with pytest.raises(ValidationError):
            Sum(**inputs)

    def test_a_number_becomes_text_where_text_is_wanted(self):
        @invocation("t_text", category="strings")
        class Text(BaseInvocation):
            """A text."""

            value: str = InputField("", description="The text")

            def invoke(self, context: InvocationContext) -> IntegerOutput:
                return IntegerOutput(value=len(self.value))

        assert Text(value=12).value == "12"
        assert Text.spec.inputs["value"].adapter.validate_python(1.5) == "1.5"
