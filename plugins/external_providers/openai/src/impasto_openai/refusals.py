"""`refusals`: what OpenAI's service cannot do of a request, beside what a model's capabilities say. Pure.

Each of these is an answer with status 400 otherwise, or an option that has no effect.
"""

from collections.abc import Iterator

from impasto_sdk.providers import ExternalGenerationRequest

__all__ = ["refusals"]


def refusals(request: ExternalGenerationRequest) -> Iterator[str]:
    """Every reason, each naming the option, its value and what would do."""
    options = request.provider_options
    file_format = options.get("output_format")
    sends_images = request.init_image is not None or bool(request.reference_images)
    if options.get("background") == "transparent" and file_format == "jpeg":
        yield "background = 'transparent' and output_format = 'jpeg': a JPEG has none; take png or webp"
    if options.get("output_compression") is not None and file_format == "png":
        yield (
            f"output_compression = {options['output_compression']} and output_format = 'png': a PNG loses nothing; "
            "take jpeg or webp, or leave output_compression out"
        )
    if options.get("moderation") == "low" and sends_images:
        yield "moderation = 'low': the service takes it for words alone; leave it, or the images, out"
    if options.get("input_fidelity") is not None and not sends_images:
        yield (
            f"input_fidelity = {options['input_fidelity']!r}: there is no image to be faithful to; send one along, or "
            "leave input_fidelity out"
        )
