"""Taking part in a denoise loop: what an extension is when it overrides nothing."""

import pytest

from impasto_sdk.extensions import DenoiseExtension, DenoiseExtensionFactory, DenoiseState, UNetInputs
from impasto_sdk.fields import ImageField


@pytest.fixture
def state():
    return DenoiseState(
        step=3, total_steps=12, timestep=0.5, latents=[1.0], initial_latents=[0.0], timesteps=[1.0, 0.5]
    )


def test_how_far_the_loop_is_is_told_at_the_start_of_a_step(state):
    assert state.fraction == 0.25


def test_an_extension_that_overrides_nothing_changes_nothing(state):
    extension, model = DenoiseExtension(), object()
    inputs = UNetInputs(sample=[1.0], timestep=0.5, encoder_hidden_states=[0.0], guided=True)
    before = (list(state.latents), state.noise_prediction, inputs.down_block_additional_residuals)
    with extension.patch(model):
        extension.before_loop(state)
        extension.before_step(state)
        extension.before_unet(state, inputs)
        extension.after_unet(state)
        extension.after_step(state)
        extension.after_loop(state)
    assert (state.latents, state.noise_prediction, inputs.down_block_additional_residuals) == before


def test_what_one_call_gathers_does_not_reach_the_next():
    first = UNetInputs(sample=0, timestep=0, encoder_hidden_states=0, guided=False)
    second = UNetInputs(sample=0, timestep=0, encoder_hidden_states=0, guided=False)
    first.cross_attention_kwargs["scale"] = 2
    assert second.cross_attention_kwargs == {}


def test_a_factory_makes_the_extension_of_its_own_data():
    class Tint(DenoiseExtension):
        def __init__(self, image):
            self.image = image

    factory = DenoiseExtensionFactory(field_type=ImageField, create=lambda value, context: Tint(value))
    image = ImageField(image_name="a.png")
    assert factory.create(image, None).image is image
