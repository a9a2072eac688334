"""Every kind of request to the Gemini API: what a node is asked for, and the bytes that must go out for it.

`CASES` is each model × mode × option. The same cases are given to the official client, so that what is written here is
held to it, too. Pictures stand in a body as ``<png>``, ``<jpeg>`` and ``<webp>``: `PICTURES`, in base64.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from impasto_gemini.node import GeminiImageGeneration
from impasto_sdk.testing import FakeContext
from support.gemini_service import gemini_model
from support.provenance import signed_picture

__all__ = ["CASES", "PICTURES", "PROMPT", "GeminiCase"]

PROMPT = 'a fox called "Café"'
PICTURES: Mapping[str, bytes] = {name: signed_picture(name.upper()) for name in ("png", "jpeg", "webp")}

#: For each model a size in pixels, and what the service calls it.
SIZES: Mapping[str, tuple[int, int, str]] = {
    "gemini-2.5-flash-image": (1344, 768, '{"aspectRatio":"16:9"}'),
    "gemini-3-pro-image-preview": (1696, 2528, '{"aspectRatio":"2:3","imageSize":"2K"}'),
    "gemini-3-pro-image": (4096, 4096, '{"aspectRatio":"1:1","imageSize":"4K"}'),
    "gemini-3.1-flash-image-preview": (192, 1536, '{"aspectRatio":"1:8","imageSize":"512"}'),
    "gemini-3.1-flash-image": (1584, 672, '{"aspectRatio":"21:9","imageSize":"1K"}'),
}
_TEXT = '{"text":"a fox called \\"Café\\""}'
_PNG = '{"inlineData":{"data":"<png>","mime_type":"image/png"}}'
_JPEG = '{"inlineData":{"data":"<jpeg>","mime_type":"image/jpeg"}}'
_WEBP = '{"inlineData":{"data":"<webp>","mime_type":"image/webp"}}'
#: Mode, the picture to change and the references, and the parts of the body.
MODES: Mapping[str, tuple[str, str | None, Sequence[str], str]] = {
    "words": ("txt2img", None, (), _TEXT),
    "references": ("txt2img", None, ("png", "jpeg", "webp"), f"{_TEXT},{_PNG},{_JPEG},{_WEBP}"),
    "image": ("img2img", "png", (), f"{_TEXT},{_PNG}"),
    "image and references": ("img2img", "jpeg", ("webp", "png"), f"{_TEXT},{_JPEG},{_WEBP},{_PNG}"),
}
TEMPERATURES: Mapping[float | None, str] = {None: "", 0.0: '"temperature":0.0,', 1.75: '"temperature":1.75,'}
LEVELS: Mapping[str | None, str] = {
    None: "",
    "minimal": '"thinkingConfig":{"thinking_level":"MINIMAL"},',
    "high": '"thinkingConfig":{"thinking_level":"HIGH"},',
}


@dataclass(frozen=True, kw_only=True)
class GeminiCase:
    """A request: what is asked for, and what goes out."""

    name: str
    model: str
    mode: str
    #: Names of `PICTURES`.
    init: str | None
    references: Sequence[str]
    width: int
    height: int
    options: Mapping[str, Any]
    #: What is sent, with the pictures in their places.
    body: bytes

    @property
    def path(self) -> str:
        """Where it is sent."""
        return f"/v1beta/models/{self.model}:generateContent"

    @property
    def pictures(self) -> Sequence[str]:
        """Names of all pictures, in the order in which they are sent."""
        return [*([self.init] if self.init else []), *self.references]

    def node(self, context: FakeContext) -> GeminiImageGeneration:
        """The node that asks for it, with its pictures put into the context's library."""
        library = {name: context.images.add(PICTURES[name]) for name in self.pictures}
        return GeminiImageGeneration(
            model=gemini_model(self.model),
            mode=self.mode,
            prompt=PROMPT,
            width=self.width,
            height=self.height,
            init_image=library.get(self.init or ""),
            reference_images=[library[name] for name in self.references],
            **self.options,
        )


def _cases() -> Iterator[GeminiCase]:
    for model, (width, height, size) in SIZES.items():
        levels = LEVELS if "3.1-flash" in model else {None: ""}
        for mode_name, (mode, init, references, parts) in MODES.items():
            for temperature, temperature_text in TEMPERATURES.items():
                for level, level_text in levels.items():
                    options = {"temperature": temperature, "thinking_level": level}
                    chosen = {name: value for name, value in options.items() if value is not None}
                    yield GeminiCase(
                        name="-".join([model, mode_name, *(f"{name}={value}" for name, value in chosen.items())]),
                        model=model,
                        mode=mode,
                        init=init,
                        references=references,
                        width=width,
                        height=height,
                        options=chosen,
                        body=_filled(
                            f'{{"contents":[{{"parts":[{parts}],"role":"user"}}],"generationConfig":{{'
                            f'{temperature_text}"responseModalities":["IMAGE"],{level_text}"imageConfig":{size}}}}}'
                        ),
                    )


def _filled(body: str) -> bytes:
    filled = body.encode()
    for name, data in PICTURES.items():
        filled = filled.replace(f"<{name}>".encode(), base64.urlsafe_b64encode(data))
    return filled


CASES: Sequence[GeminiCase] = tuple(_cases())
