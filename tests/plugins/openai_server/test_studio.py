"""Which panel and which model serve a request, by what they say of themselves."""

from typing import Any

import pytest

from impasto_openai_server.errors import InvalidRequestError, NoPanelError
from impasto_openai_server.roles import Task, roles_of
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_openai_server.studio import Studio
from impasto_sd.panels import IMAGE_TO_IMAGE, TEXT_TO_IMAGE
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import (
    AnyField,
    Availability,
    Image,
    Images,
    Mask,
    Model,
    PanelForm,
    Prompt,
    Section,
    Size,
    Text,
    when,
)

PROMPT = Prompt(id="words", title="Words", required=True)
MODEL = Model(id="weights", title="Weights", required=True, where={"type": "main"})
IMAGE = Image(id="from", title="From", required=True)


def form(name: str, *fields: AnyField, **about: Any) -> PanelForm:
    section = Section(id="all", title="All", fields=fields)
    about = {"makes": "images", **about}
    return PanelForm(id=f"toy.{name}", title=name.title(), values_version=1, sections=[section], **about)


def record(key: str, **about: Any) -> ModelRecord:
    known = {"name": key.title(), "hash": "h", "path": "p", "base": "sd-1", "type": "main", "format": "f"}
    return ModelRecord(key=key, **{**known, **about})


def studio(*forms: PanelForm, models: tuple[ModelRecord, ...] = (record("one"),), **settings: Any) -> Studio:
    return Studio(forms, models, OpenAIServerSettings(**settings))


def panel_for(task: Task, *forms: PanelForm) -> str:
    return studio(*forms).choose(task, None).roles.form.id.removeprefix("toy.")


PLAIN = form("plain", PROMPT, MODEL)
EDIT = form("edit", PROMPT, MODEL, IMAGE)
MASKED = form("masked", PROMPT, MODEL, IMAGE, Mask(id="where", title="Where", of="from"))
EITHER = form("either", PROMPT, MODEL, Image(id="from", title="From"))


def test_the_panels_of_stable_diffusion_serve_what_they_are_for() -> None:
    there = studio(TEXT_TO_IMAGE, IMAGE_TO_IMAGE)
    chosen = {task: there.choose(task, None).roles for task in Task}
    assert chosen[Task.GENERATE].form.id == "sd.text_to_image"
    assert chosen[Task.EDIT].form.id == chosen[Task.MASK].form.id == "sd.image_to_image"
    roles = chosen[Task.MASK]
    assert (roles.prompt, roles.model.id, roles.image, roles.mask) == ("prompt", "model", "init_image", "mask")
    assert (roles.seed, roles.strength, roles.count, roles.references) == ("seed", "strength", "count", None)


def test_a_panel_serves_what_it_can_do_without_more_than_a_request_brings() -> None:
    needy = form("needy", PROMPT, MODEL, Text(id="licence", title="Licence", required=True))
    every = (needy, EDIT, MASKED, PLAIN)
    assert panel_for(Task.GENERATE, *every) == "plain"
    assert panel_for(Task.EDIT, *every) == "edit"
    assert panel_for(Task.MASK, *every) == "masked"


def test_to_change_a_picture_one_that_needs_a_picture_goes_before_one_that_may_have_one() -> None:
    assert panel_for(Task.EDIT, EITHER, EDIT) == "edit"
    assert panel_for(Task.EDIT, PLAIN, EITHER) == "either"
    assert panel_for(Task.GENERATE, EITHER, PLAIN) == "either"


def test_a_field_that_is_hidden_takes_no_picture() -> None:
    hidden = Image(id="from", title="From", visible_when=when("weights").fact("supports").has("images"))
    with pytest.raises(NoPanelError):
        studio(form("shy", PROMPT, MODEL, hidden)).choose(Task.EDIT, None)


@pytest.mark.parametrize(
    "other",
    [
        form("paid", PROMPT, MODEL, category="provider"),
        form("film", PROMPT, MODEL, makes="video"),
        form("aimless", PROMPT, MODEL, makes=None),
        form("mute", MODEL),
        form("fixed", PROMPT),
        form("optional", PROMPT, Model(id="weights", title="Weights", where={"type": "main"})),
    ],
)
def test_what_makes_no_pictures_on_this_machine_of_a_prompt_and_a_model_is_no_panel_for_this(other: PanelForm) -> None:
    assert roles_of(other) is None
    assert panel_for(Task.GENERATE, other, PLAIN) == "plain"


def test_a_model_of_a_service_is_never_used() -> None:
    service = record("service", source_type="external")
    there = studio(PLAIN, models=(service, record("own")))
    assert there.choose(Task.GENERATE, "service").model.key == "own"
    assert list(there.ids()) == ["own"]


def test_a_mask_over_another_picture_is_no_mask_for_this_one() -> None:
    other = Mask(id="where", title="Where", of="second")
    roles = roles_of(form("two", PROMPT, MODEL, IMAGE, Image(id="second", title="Second"), other))
    assert roles is not None
    assert (roles.image, roles.mask) == ("from", None)


def test_the_field_that_must_be_filled_in_has_the_role() -> None:
    roles = roles_of(
        form(
            "many",
            Prompt(id="negative", title="Negative"),
            PROMPT,
            Model(id="vae", title="VAE", where={"type": "vae"}),
            MODEL,
            Size(id="size", title="Size"),
            Images(id="style", title="Style"),
        )
    )
    assert roles is not None
    assert (roles.prompt, roles.model.id, roles.references) == ("words", "weights", "style")


class TestModels:
    def there(self, **settings: Any) -> Studio:
        models = (record("v", type="vae"), record("a1", name="Alpha XL"), record("b2", name="Beta"))
        return studio(PLAIN, EDIT, models=models, **settings)

    @pytest.mark.parametrize("name", ["b2", "Beta", "beta"])
    def test_a_model_is_named_by_key_by_name_or_by_its_id(self, name: str) -> None:
        assert self.there().choose(Task.GENERATE, name).model.key == "b2"

    @pytest.mark.parametrize("name", [None, "gpt-image-1", "dall-e-3", "v"])
    def test_a_name_that_makes_no_pictures_here_stands_for_the_default(self, name: str | None) -> None:
        assert self.there().choose(Task.GENERATE, name).model.key == "a1"
        assert self.there(default_model="beta").choose(Task.GENERATE, name).model.key == "b2"

    def test_a_default_that_is_not_there_or_cannot_do_it_gives_way(self) -> None:
        assert self.there(default_model="gamma").choose(Task.GENERATE, None).model.key == "a1"
        assert self.there(default_model="v").choose(Task.GENERATE, None).model.key == "a1"

    def test_ids_are_plain_names_or_keys_where_two_names_are_one(self) -> None:
        assert list(self.there().ids()) == ["alpha-xl", "beta"]
        twins = studio(PLAIN, models=(record("a", name="Twin"), record("b", name="twin!"), record("c", name="Only")))
        assert list(twins.ids()) == ["a", "b", "only"]

    def test_names_in_other_letters_are_names_and_signs_alone_are_none(self) -> None:
        there = studio(PLAIN, models=(record("a", name="Ölfarbe 2"), record("b", name="★"), record("c", name="☆")))
        assert list(there.ids()) == ["ölfarbe-2", "b", "c"]
        found = {name: there.find(name) for name in ("★", "☆", "♥", "")}
        assert {name: one.key for name, one in found.items() if one is not None} == {"★": "b", "☆": "c"}

    def test_a_model_that_cannot_do_this_is_refused_and_not_replaced(self) -> None:
        other = form("sketch", PROMPT, Model(id="weights", title="W", required=True, where={"type": "sketch"}))
        there = studio(PLAIN, EDIT, other, models=(record("one"), record("pen", type="sketch")))
        assert there.choose(Task.GENERATE, "pen").roles.form.id == "toy.sketch"
        with pytest.raises(InvalidRequestError, match="Pen cannot change a picture here") as caught:
            there.choose(Task.EDIT, "pen")
        assert caught.value.param == "model"


class TestOperator:
    @pytest.mark.parametrize(
        ("task", "setting"),
        [(Task.GENERATE, "generate_panel"), (Task.EDIT, "edit_panel"), (Task.MASK, "mask_panel")],
    )
    def test_a_panel_that_the_operator_names_is_the_only_one(self, task: Task, setting: str) -> None:
        second = (
            form("second", *MASKED.root_fields.values()) if task is not Task.GENERATE else form("second", PROMPT, MODEL)
        )
        chosen = studio(PLAIN, EDIT, MASKED, second, **{setting: "toy.second"}).choose(task, None)
        assert chosen.roles.form.id == "toy.second"

    def test_one_that_is_not_there_is_named_with_its_setting(self) -> None:
        with pytest.raises(NoPanelError, match=r"plugins\.openai_server names the panel 'toy\.gone'"):
            studio(PLAIN, generate_panel="toy.gone").choose(Task.GENERATE, None)


def test_without_a_model_the_reason_is_the_panels_own() -> None:
    unavailable = PLAIN.model_copy(update={"available": Availability(ok=False, reason="No model is installed.")})
    with pytest.raises(
        NoPanelError, match="nothing can make a picture from words now: No model is installed"
    ) as caught:
        studio(unavailable, models=()).choose(Task.GENERATE, None)
    assert (caught.value.status, caught.value.retry) == (503, False)


def test_without_a_panel_there_is_no_way() -> None:
    with pytest.raises(NoPanelError, match="no panel and no model of this server can change a picture in a mask"):
        studio(PLAIN, EDIT).choose(Task.MASK, None)
