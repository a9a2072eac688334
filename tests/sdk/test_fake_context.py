"""`FakeContext`: what the real context promises, in memory."""

import inspect
import io

import pytest
from PIL import Image
from pydantic import BaseModel

from impasto_sdk import context as protocols
from impasto_sdk.errors import (
    CanceledError,
    ExtensionError,
    ImageNotFoundError,
    InvalidInputError,
    ModelLoadError,
    ModelNotFoundError,
    NoLoaderError,
    SecretNotFoundError,
    TensorNotFoundError,
)
from impasto_sdk.extensions import DenoiseExtension, DenoiseExtensionFactory
from impasto_sdk.fields import (
    BoardField,
    ConditioningField,
    ImageField,
    InputField,
    IntegerOutput,
    LatentsField,
    LoRAField,
    MetadataField,
    ModelIdentifierField,
    TensorField,
)
from impasto_sdk.models import ModelRecord
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata, invocation
from impasto_sdk.testing import FakeContext

RECORD = ModelRecord(key="m1", hash="h", path="/m1", name="One", base="sd-1", type="main", format="diffusers")


@invocation("t_saver", category="image")
class Saver(BaseInvocation, WithMetadata, WithBoard):
    """Save nothing, yet."""

    value: int = InputField(0, description="A number")

    def invoke(self, context: protocols.InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.value)


@pytest.fixture
def context():
    return FakeContext()


def picture(mode="RGB", size=(4, 3), colour=0):
    return Image.new(mode, size, colour)


class TestProtocol:
    def test_it_has_everything_that_the_real_context_has(self, context):
        promised = {name for name in vars(protocols.InvocationContext) if not name.startswith("_")}
        assert promised <= set(dir(context))

    @pytest.mark.parametrize(
        ("attribute", "protocol"),
        [
            ("images", protocols.ImageAccess),
            ("tensors", protocols.TensorAccess),
            ("conditioning", protocols.ConditioningAccess),
            ("models", protocols.ModelAccess),
            ("extensions", protocols.ExtensionAccess),
            ("progress", protocols.ProgressReporter),
            ("settings", protocols.SettingsAccess),
            ("secrets", protocols.SecretAccess),
        ],
    )
    def test_each_part_takes_the_arguments_that_the_real_one_takes(self, context, attribute, protocol):
        part = type(getattr(context, attribute))
        for name, promised in vars(protocol).items():
            if inspect.isfunction(promised) and (name == "__call__" or not name.startswith("_")):
                taken = inspect.signature(getattr(part, name)).parameters
                assert [(p.name, p.kind, p.default) for p in taken.values()] == [
                    (p.name, p.kind, p.default) for p in inspect.signature(promised).parameters.values()
                ]


class TestImages:
    def test_a_picture_comes_back_as_it_was_put_in(self, context):
        original = Image.effect_noise((16, 16), 80)
        assert context.images.load(context.images.add(original)).tobytes() == original.tobytes()

    def test_a_loaded_picture_is_the_nodes_own(self, context):
        field = context.images.add(picture())
        context.images.load(field).paste(255, (0, 0, 4, 3))
        assert context.images.load(field).getextrema() == ((0, 0),) * 3

    def test_a_mode_is_converted_on_the_way_out(self, context):
        field = context.images.add(picture("L"))
        assert context.images.load(field, "RGBA").mode == "RGBA"
        assert context.images.load(field).mode == "L"

    def test_a_missing_picture_names_those_there_are(self, context):
        context.images.add(picture())
        with pytest.raises(ImageNotFoundError, match=r"gone\.png.*image-1\.png"):
            context.images.load(ImageField(image_name="gone.png"))

    def test_saving_gives_the_size_and_keeps_a_record(self, context):
        output = context.images.save(picture(size=(5, 2)), category="mask", board=BoardField(board_id="b"))
        assert (output.width, output.height) == (5, 2)
        record = context.images.record(output.image)
        assert (record.width, record.height, record.image_category, record.board_id) == (5, 2, "mask", "b")
        assert [saved.field for saved in context.images.saved] == [output.image]

    def test_what_was_added_was_not_saved_by_a_node(self, context):
        context.images.add(picture())
        assert context.images.saved == []

    def test_a_save_takes_metadata_board_and_kind_from_the_running_node(self, context):
        context.bind(Saver(metadata=MetadataField({"seed": 1}), board=BoardField(board_id="b"), is_intermediate=True))
        record = context.images.record(context.images.save(picture()).image)
        assert (record.metadata, record.board_id, record.is_intermediate) == ({"seed": 1}, "b", True)

    def test_what_is_said_in_the_save_counts_more(self, context):
        context.bind(Saver(metadata=MetadataField({"seed": 1}), is_intermediate=True))
        saved = context.images.save(picture(), metadata=MetadataField({"seed": 2}), is_intermediate=False)
        record = context.images.record(saved.image)
        assert (record.metadata, record.is_intermediate) == ({"seed": 2}, False)

    @pytest.mark.parametrize(("format", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
    def test_an_encoded_picture_stays_as_it_is(self, context, format, ending):
        buffer = io.BytesIO()
        picture().save(buffer, format)
        output = context.images.save_bytes(buffer.getvalue())
        assert output.image.image_name.endswith(ending)
        assert context.images.load_bytes(output.image) == buffer.getvalue()

    def test_bytes_that_are_no_picture_are_refused(self, context):
        with pytest.raises(InvalidInputError, match="no PNG, JPEG or WebP"):
            context.images.save_bytes(b"GIF89a is not taken")


class TestStores:
    def test_tensors_are_kept_by_name(self, context):
        name = context.tensors.save(b"latents")
        assert context.tensors.load(LatentsField(latents_name=name)) == b"latents"
        assert context.tensors.load(TensorField(tensor_name=name)) == b"latents"
        assert context.tensors.saved == {name: b"latents"}

    def test_conditioning_is_kept_apart_from_tensors(self, context):
        name = context.conditioning.save(b"prompt")
        assert context.conditioning.load(ConditioningField(conditioning_name=name)) == b"prompt"
        with pytest.raises(TensorNotFoundError, match="holds none"):
            context.tensors.load(TensorField(tensor_name=name))


class TestModels:
    def test_a_part_is_loaded_locked_and_unlocked(self, context):
        field = context.models.add(RECORD, parts={"unet": [1, 2, 3]})
        with context.models.load(field.part("unet"), list) as unet:
            assert unet == [1, 2, 3]
            assert context.models.locked == ["m1/unet"]
        assert context.models.locked == []
        assert context.models.loaded == ["m1/unet"]

    def test_a_lock_is_let_go_when_the_node_fails(self, context):
        field = context.models.add(RECORD, {"a": 1})
        with pytest.raises(ZeroDivisionError), context.models.load(field, dict):
            raise ZeroDivisionError
        assert context.models.locked == []

    def test_another_class_than_expected_is_a_load_error(self, context):
        field = context.models.add(RECORD, {"a": 1})
        with pytest.raises(ModelLoadError, match="is a dict, not a list"), context.models.load(field, list):
            pass

    def test_a_part_that_no_loader_gives_is_said_so(self, context):
        field = context.models.add(RECORD)
        with pytest.raises(NoLoaderError, match="'vae'"), context.models.load(field.part("vae"), object):
            pass

    def test_an_unknown_model_is_not_found(self, context):
        with pytest.raises(ModelNotFoundError, match="holds none"):
            context.models.record(ModelIdentifierField(key="m2"))

    def test_a_search_gives_what_matches_ordered_by_name(self, context):
        other = RECORD.model_copy(update={"key": "m2", "name": "Another"})
        lora = RECORD.model_copy(update={"key": "m3", "name": "A LoRA", "type": "lora"})
        for record in (RECORD, other, lora):
            context.models.add(record)
        assert [record.key for record in context.models.search(type="main", base="sd-1")] == ["m2", "m1"]
        assert [record.key for record in context.models.search(name="A LoRA")] == ["m3"]


class Late(DenoiseExtension):
    order = 50


class TestExtensions:
    def test_data_becomes_extensions_in_their_order(self, context):
        context.extensions.add(DenoiseExtensionFactory(field_type=ImageField, create=lambda value, context: Late()))
        context.extensions.add(
            DenoiseExtensionFactory(field_type=BoardField, create=lambda value, context: DenoiseExtension())
        )
        made = context.extensions.denoise([ImageField(image_name="a.png"), BoardField(board_id="b")])
        assert [extension.order for extension in made] == [0, 50]

    def test_data_that_no_plugin_owns_is_named(self, context):
        lora = LoRAField(lora=ModelIdentifierField(key="k"), weight=1)
        with pytest.raises(ExtensionError, match="for LoRAField"):
            context.extensions.denoise([lora])


class Tiles(BaseModel):
    size: int = 64


class TestOperator:
    def test_settings_are_those_that_were_put_in_force(self, context):
        context.settings.add(Tiles(size=32))
        assert context.settings(Tiles).size == 32

    def test_settings_that_no_one_registered_are_a_lookup_error(self, context):
        with pytest.raises(LookupError, match="Tiles"):
            context.settings(Tiles)

    def test_a_secret_is_given_only_when_it_was_set(self, context):
        context.secrets.add("key", "s3cret")
        assert context.secrets.get("key") == "s3cret"
        with pytest.raises(SecretNotFoundError) as caught:
            context.secrets.get("other")
        assert caught.value.name == "other"
        assert "s3cret" not in str(caught.value)


class TestRun:
    def test_a_cancelled_context_raises(self, context):
        context.raise_if_cancelled()
        context.cancel()
        assert context.cancelled
        with pytest.raises(CanceledError):
            context.raise_if_cancelled()

    def test_it_can_cancel_after_so_many_reports(self, context):
        context.cancel_after(reports=2)
        context.progress(0.1)
        assert not context.cancelled
        context.progress(0.2, "half way")
        assert context.cancelled
        assert [(report.fraction, report.message) for report in context.progress.reports] == [
            (0.1, ""),
            (0.2, "half way"),
        ]

    @pytest.mark.parametrize("fraction", [-0.1, 1.01, 50])
    def test_progress_that_no_client_can_draw_is_refused(self, context, fraction):
        with pytest.raises(ValueError, match="between 0 and 1"):
            context.progress(fraction)

    def test_progress_of_unknown_length_is_allowed(self, context):
        context.progress(None, "waiting")
        assert context.progress.reports[0].fraction is None

    def test_the_identity_is_the_running_nodes(self, context):
        context.bind(Saver(id="saver[3,0]"))
        identity = context.identity
        assert (identity.node_id, identity.source_id, identity.node_type) == ("saver[3,0]", "saver", "t_saver")
