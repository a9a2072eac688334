"""What schemathesis is told besides the OpenAPI document when it calls a server: loaded by it, in its own process."""

import io
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

__all__ = ["CONFIGURATION", "allowed_form", "configuration", "picture"]

#: Problems with the form of a request, which no request can have that the document allows. It may still be refused for
#: what it says, as no document can tell: its graph cannot run, its file is no picture, its weights are unknown.
OF_FORM = {"urn:impasto:problem:request-does-not-fit", "urn:impasto:problem:malformed-json"}
#: How often a request names a thing that is there, and not whatever the document allows.
OFTEN = 0.8

CONFIGURATION = """
seed = 1
# what bad requests do, they do at once
request-timeout = 60
# a stream of events ends when its client has had enough, and the greeting is enough
max-stream-events = 1
continue-on-failure = true
warnings = { fail-on = ["unresolvable_reference", "missing_deserializer", "unsupported_regex"] }

[generation]
deterministic = true
no-shrink = true
database = "none"

[checks]
# to it, every refusal of what the document allows is a mistake; `allowed_form` stands for it
positive_data_acceptance.enabled = false

[[operations]]
# 503 is its answer when nothing runs, and nobody's mistake
include-operation-id = "get_readiness"
checks.not_a_server_error.enabled = false
"""


def configuration(things: dict[str, list[str] | list[int]]) -> str:
    """The whole configuration, with names and ids of what there is by the parameters and places in bodies for them."""
    lists = [f"[dictionaries.things-{number}]\nvalues = {values}" for number, values in enumerate(things.values())]
    uses = [
        f"{place!r} = {{ dictionary = 'things-{number}', probability = {OFTEN} }}"
        for number, place in enumerate(things)
    ]
    return "\n".join([CONFIGURATION, *lists, "[parameters]", *uses])


def picture(form: str) -> bytes:
    """A small picture as a file: ``PNG`` or ``WEBP``."""
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(data, form)
    return data.getvalue()


# files to upload: pictures, and what is none
schemathesis.openapi.format("binary", st.sampled_from([picture("PNG"), picture("WEBP")]) | st.binary(max_size=40))


@schemathesis.check
def allowed_form(ctx: Any, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """A request that the document allows is not refused for its form."""
    allowed = case.meta is not None and case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE
    if allowed and response.status_code in (400, 422):
        assert response.json()["type"] not in OF_FORM, "the document allows this request"
