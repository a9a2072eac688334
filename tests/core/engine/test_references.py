"""What an output refers to is found however deep it lies."""

from impasto.engine.references import find_references


def test_images_and_session_files_are_found_in_nested_values():
    document = {
        "type": "some_output",
        "image": {"image_name": "a.png"},
        "collection": [{"image_name": "b.png"}, {"image_name": "a.png"}],
        "latents": {"latents_name": "l", "seed": None},
        "conditioning": {"conditioning_name": "c", "mask": {"tensor_name": "t"}},
        "denoise_mask": {"mask_name": "m", "masked_latents_name": None},
    }
    found = find_references(document)
    assert set(found.images) == {"a.png", "b.png"}
    assert len(found.images) == 2
    assert set(found.files) == {"l", "c", "t", "m"}
    assert found


def test_plain_values_refer_to_nothing():
    assert not find_references({"value": 3, "text": "image_name", "list": [1, [2, None]]})


def test_a_deep_document_needs_no_deep_stack():
    document: dict = {"image_name": "deep.png"}
    for _ in range(5000):
        document = {"inner": [document]}
    assert find_references(document).images == ("deep.png",)
