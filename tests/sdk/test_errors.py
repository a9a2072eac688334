"""The error tree: what a caller can catch, and what an error carries."""

import inspect

import pytest

from impasto_sdk import errors


@pytest.mark.parametrize(
    ("error", "attributes", "message"),
    [
        (
            errors.NodeDeclarationError("my_node", "needs a docstring"),
            {"name": "my_node", "problem": "needs a docstring"},
            "node 'my_node': needs a docstring",
        ),
        (
            errors.PanelDeclarationError("txt2img", "steps", "has no title"),
            {"panel": "txt2img", "path": "steps", "problem": "has no title"},
            "panel 'txt2img', steps: has no title",
        ),
        (
            errors.InvalidInputError("b", 0, "cannot divide by zero", "use another number"),
            {"field": "b", "value": 0, "problem": "cannot divide by zero", "fix": "use another number"},
            "b = 0: cannot divide by zero; use another number",
        ),
        (errors.InvalidInputError("b", 0, "is zero"), {"fix": ""}, "b = 0: is zero"),
        (errors.CanceledError(), {}, "the session was cancelled"),
        (
            errors.ImageNotFoundError("a.png", "it was deleted"),
            {"name": "a.png", "hint": "it was deleted", "kind": "image"},
            "no image 'a.png': it was deleted",
        ),
        (errors.TensorNotFoundError("t"), {"name": "t", "kind": "tensor"}, "no tensor 't'"),
        (errors.ModelNotFoundError("m"), {"name": "m", "kind": "model"}, "no model 'm'"),
        (errors.SecretNotFoundError("s"), {"name": "s", "kind": "secret"}, "no secret 's'"),
        (
            errors.ModelLoadError("m", "unet", "the file is cut short"),
            {"key": "m", "submodel": "unet", "problem": "the file is cut short"},
            "model 'm', unet: the file is cut short",
        ),
        (errors.ModelLoadError("m", None, "is empty"), {"submodel": None}, "model 'm': is empty"),
        (
            errors.NoLoaderError("m", "sd-1", "main", "diffusers", "unet"),
            {"key": "m", "base": "sd-1", "type": "main", "format": "diffusers", "submodel": "unet"},
            "no plugin loads model 'm' (part 'unet'): base 'sd-1', type 'main', format 'diffusers'; "
            "install a plugin that registers a loader for it",
        ),
        (
            errors.DeviceError("cuda:0", "no driver"),
            {"device": "cuda:0", "problem": "no driver"},
            "device 'cuda:0': no driver",
        ),
        (
            errors.ExtensionError("ControlField", ["LoRAField"]),
            {"field_type": "ControlField", "known": ("LoRAField",)},
            "no plugin offers a denoise extension for ControlField; installed plugins offer: LoRAField",
        ),
        (errors.EnqueueRefusedError("too many"), {"reason": "too many"}, "too many"),
        (
            errors.ProviderRequestError("openai", "bad size", 400),
            {"provider": "openai", "problem": "bad size", "status": 400},
            "openai: bad size",
        ),
        (
            errors.ProviderRateLimitError("openai", "slow down", 2.5),
            {"retry_after_s": 2.5},
            "openai: slow down",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_carries_what_its_message_names(error, attributes, message):
    assert str(error) == message
    for name, value in attributes.items():
        assert getattr(error, name) == value


def test_the_problems_of_panel_values_are_all_told():
    problems = [errors.PanelProblem("/size/width", "is 3"), errors.PanelProblem("/steps", "is 0", fix=1)]
    error = errors.PanelValuesError("txt2img", problems)
    assert error.problems == tuple(problems)
    assert str(error) == "panel 'txt2img': /size/width: is 3; /steps: is 0"


@pytest.mark.parametrize(
    ("caught", "raised"),
    [
        (errors.DeclarationError, errors.NodeDeclarationError("n", "p")),
        (errors.InvocationError, errors.InvalidInputError("f", 1, "p")),
        (errors.InvocationError, errors.CanceledError()),
        (errors.NotFoundError, errors.SecretNotFoundError("s")),
        (errors.ModelError, errors.ModelLoadError("m", None, "p")),
        (errors.ProviderError, errors.ProviderDownError("o", "p")),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_errors_are_caught_by_intent(caught, raised):
    with pytest.raises(caught):
        raise raised


def test_every_error_is_in_the_tree_that_the_module_draws():
    declared = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    drawn = {word for word in errors.__doc__.split() if word.endswith("Error")}
    assert declared == drawn
    assert all(issubclass(getattr(errors, name), errors.ImpastoError) for name in declared)
