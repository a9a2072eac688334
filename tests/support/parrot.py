"""Parrot: a plugin that repeats its keys wherever it can, for the test that no key is seen anywhere.

It does by accident, as it were, what services and libraries do: keys in errors, log lines, progress messages, metadata.
Some of it in the server, where plugins are loaded and keys are tested; most of it in workers.
"""

import hashlib
import io
import json
import logging
import os
import warnings
from collections.abc import Generator, Sequence
from urllib.parse import quote

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto_sdk import (
    BaseInvocation,
    ImageOutput,
    InputField,
    InvocationContext,
    MetadataField,
    SecretDeclaration,
    StringCollectionOutput,
    StringOutput,
    hookimpl,
    invocation,
)
from impasto_sdk.errors import InvocationError
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImage,
    ExternalImageGeneration,
    ExternalModel,
    ExternalModelCapabilities,
    ExternalProvider,
    PartialImage,
    external_invocation,
)

#: What it declares beside its provider's own.
SECRETS = ("parrot_of_environment", "parrot_of_file", "parrot_address")

logger = logging.getLogger("parrot")


class Parrot(ExternalProvider):
    """Paints what it is told, and repeats what it is told with."""

    provider_id, title, default_base_url = "parrot", "Parrot", "https://parrot.example"

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        able = ExternalModelCapabilities(modes=frozenset({"txt2img"}), aspect_ratio_sizes={"1:1": (64, 64)})
        return [ExternalModel(id="ara-1", name="Ara", description="A bird.", capabilities=able)]

    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        from impasto_sdk.providers.http import ProviderHttp

        logger.warning("asked with %s", {"authorization": f"Bearer {self.api_key}"})
        async with ProviderHttp(self, headers={"authorization": f"Bearer {self.api_key}"}) as http:
            answer = (await http.post("/paint", {"prompt": request.prompt})).body
        if answer.get("confused"):
            raise RuntimeError(f"cannot read {json.dumps(answer)}")
        picture = ExternalImage(data=bytes.fromhex(answer["picture"]), revised_prompt=answer["heard"])
        return ExternalGenerationResult(images=[picture], request_id=answer["heard"], metadata={"answer": answer})

    async def verify(self) -> None:
        from impasto_sdk.providers.http import ProviderHttp

        logger.warning("is %s taken?", spellings(self.api_key))
        async with ProviderHttp(self, headers={"authorization": f"Bearer {self.api_key}"}) as http:
            await http.get("/verify")


@external_invocation("parrot_image_generation", provider=Parrot, title="Parrot")
class ParrotImageGeneration(ExternalImageGeneration):
    """Have Parrot paint pictures."""


def spellings(secret: str) -> str:
    """The secret as it may be met."""
    return f"{secret} {quote(secret, safe='')} {json.dumps(secret)} {secret!r} {json.dumps({'key': secret}).encode()!r}"


@invocation("parrot_says", title="Say", category="test", version="1.0.0", use_cache=False)
class ParrotSays(BaseInvocation):
    """Repeat the secrets in one way."""

    how: str = InputField("", description="In which")

    def invoke(self, context: InvocationContext) -> StringOutput:
        words = " | ".join(spellings(context.secrets.get(name)) for name in SECRETS)
        result = getattr(self, f"_{self.how}")(context, words)
        return StringOutput(value=str(result))

    def _hash(self, context: InvocationContext, words: str) -> str:
        return " ".join(hashlib.sha256(context.secrets.get(name).encode()).hexdigest() for name in SECRETS)

    def _output(self, context: InvocationContext, words: str) -> str:
        return words

    def _environment(self, context: InvocationContext, words: str) -> str:
        return json.dumps(dict(os.environ))

    def _log(self, context: InvocationContext, words: str) -> None:
        context.logger.warning("heard %s", words)
        logging.getLogger("some.library").error("headers: %r", {"authorization": words})
        warnings.warn(words, stacklevel=1)
        try:
            raise ValueError(words)
        except ValueError:
            context.logger.exception("it went on")

    def _progress(self, context: InvocationContext, words: str) -> None:
        for step in range(3):
            context.progress(step / 3, f"sending {words}")

    def _print(self, context: InvocationContext, words: str) -> None:
        print(words, flush=True)
        os.system('echo "a child sees: $(env | grep -c SECRET)"')

    def _error(self, context: InvocationContext, words: str) -> None:
        raise InvocationError(f"the service says: {words}")

    def _mistake(self, context: InvocationContext, words: str) -> None:
        raise KeyError(words)

    def _death(self, context: InvocationContext, words: str) -> None:
        print(f"dying of {words}", flush=True)
        os._exit(3)


@invocation("parrot_paints", title="Paint", category="test", version="1.0.0", use_cache=False)
class ParrotPaints(BaseInvocation):
    """Save a picture with the secrets in its metadata; `embed` puts one into the file itself."""

    embed: bool = InputField(False, description="Whether into the file")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        words = {name: spellings(context.secrets.get(name)) for name in SECRETS}
        picture = Image.new("RGB", (16, 16), "green")
        metadata = MetadataField.model_validate({**words, context.secrets.get(SECRETS[0]): [{"deep": words}]})
        if not self.embed:
            return context.images.save(picture, metadata=metadata)
        info, buffer = PngInfo(), io.BytesIO()
        info.add_text("comment", context.secrets.get(SECRETS[0]))
        picture.save(buffer, "PNG", pnginfo=info)
        return context.images.save_bytes(buffer.getvalue())


@invocation("parrot_counts", title="Count", category="test", version="1.0.0", use_cache=False)
class ParrotCounts(BaseInvocation):
    """Yield the secrets, one after the other."""

    def invoke(self, context: InvocationContext) -> Generator[str, None, StringCollectionOutput]:
        words = [spellings(context.secrets.get(name)) for name in SECRETS]
        yield from words
        return StringCollectionOutput(collection=words)


@hookimpl
def register_external_providers() -> Sequence[type[ExternalProvider]]:
    return [Parrot]


@hookimpl
def register_invocations() -> Sequence[type[BaseInvocation]]:
    return [ParrotImageGeneration, ParrotSays, ParrotPaints, ParrotCounts]


@hookimpl
def register_secrets() -> Sequence[SecretDeclaration]:
    logger.warning("loaded in %s", dict(os.environ))
    return [SecretDeclaration(name=name, title=name) for name in SECRETS]
