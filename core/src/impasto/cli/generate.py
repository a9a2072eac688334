"""``impasto generate``: a prompt becomes pictures, through the panels that plugins offer for it."""

import difflib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.client import Client, JsonObject
from impasto.cli.failures import CommandError, UsageError
from impasto.cli.follow import enqueue_and_follow
from impasto.cli.picture_files import check_writable, numbered, write_picture
from impasto.cli.results import image_names
from impasto.cli.run_progress import run_progress
from impasto.cli.terminal import waiting

__all__ = ["GenerateOptions", "Picture", "find_model", "generate", "panel_values", "parse_size"]

TEXT_TO_IMAGE = "sd.text_to_image"
IMAGE_TO_IMAGE = "sd.image_to_image"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateOptions:
    """What to make. None leaves a choice to the panel, which asks the model."""

    prompt: str
    #: Where to write the picture; several are numbered. None: ``impasto-<seed>.png`` in the working folder.
    out: Path | None = None
    #: Name or key of a model; None: the first main model.
    model: str | None = None
    #: Of the first picture; the others count on. None: a random one.
    seed: int | None = None
    steps: int | None = None
    #: Width and height in pixels.
    size: tuple[int, int] | None = None
    negative: str | None = None
    cfg_scale: float | None = None
    scheduler: str | None = None
    #: A picture to start from.
    init_image: Path | None = None
    #: How much the picture to start from may change, 0 to 1.
    strength: float | None = None
    count: int = 1
    queue_id: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that was made."""

    path: Path
    seed: int
    image_name: str
    width: int
    height: int
    #: Seconds from enqueueing to the end of the whole run.
    seconds: float

    def to_document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "path": str(self.path),
            "seed": self.seed,
            "image_name": self.image_name,
            "width": self.width,
            "height": self.height,
            "seconds": round(self.seconds, 3),
        }


def generate(client: Client, options: GenerateOptions) -> list[Picture]:
    """Make the pictures and write them to files, in the order in which they were asked for.

    Raises `CommandError` for what cannot be done, before anything is queued where that can be told; `RunFailedError`,
    `StoppedError` and `ServerError` as `enqueue_and_follow` does.
    """
    if options.strength is not None and options.init_image is None:
        raise UsageError("--strength says how much of a picture may change; name one with --init-image")
    check_writable(options.out or Path("impasto.png"))
    model = find_model(client.get("/api/v2/models/", model_type="main")["models"], options.model)
    panel = TEXT_TO_IMAGE if options.init_image is None else IMAGE_TO_IMAGE
    values = panel_values(options, model)
    if options.init_image is not None:
        values["init_image"] = {"image_name": client.upload_image(options.init_image)["image_name"]}
    body = {"values": values, "queue_id": options.queue_id, "origin": "impasto generate"}
    begin = time.monotonic()
    with run_progress(options.count) as progress:
        items = enqueue_and_follow(
            client,
            options.queue_id,
            lambda: client.enqueue(f"/api/v1/panels/{panel}/enqueue", body),
            progress.show,
        )
    seconds = time.monotonic() - begin
    with waiting("Fetching"):
        return _fetch(client, items, options.out, seconds)


def parse_size(text: str) -> tuple[int, int]:
    """Width and height in pixels, from ``128x96`` or ``128``. Raises `UsageError`."""
    width, cross, height = text.lower().replace("×", "x").partition("x")
    try:
        size = int(width), int(height if cross else width)
    except ValueError:
        size = (0, 0)
    if min(size) < 1:
        raise UsageError(f"--size {text}: write width and height in pixels, e.g. 128x128 or 128")
    return size


def find_model(models: Sequence[JsonObject], wanted: str | None) -> JsonObject:
    """The model of that key, or else of that name (in any case); the first of all when none is named.

    Raises `CommandError` naming the models there are.
    """
    if not models:
        raise CommandError("no main model is registered; `impasto models` lists what is, impasto-starter brings one")
    if wanted is None:
        return models[0]
    for model in models:
        if model["key"] == wanted:
            return model
    found = [model for model in models if model["name"].casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    names = [model["name"] for model in models]
    if found:
        keys = ", ".join(model["key"] for model in found)
        raise CommandError(f"{len(found)} models are called {wanted!r}; name one by its key: {keys}")
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, names))}"
    raise CommandError(f"no main model is called {wanted!r}; {hint}")


def panel_values(options: GenerateOptions, model: JsonObject) -> dict[str, object]:
    """The values of the panel: what was asked for and nothing else, so that defaults stay the model's."""
    chosen: dict[str, object] = {
        "negative_prompt": options.negative,
        "seed": None if options.seed is None else {"mode": "fixed", "value": options.seed},
        "steps": options.steps,
        "cfg_scale": options.cfg_scale,
        "scheduler": options.scheduler,
        "strength": options.strength,
        "size": None if options.size is None else {"width": options.size[0], "height": options.size[1]},
        "count": options.count if options.count != 1 else None,
    }
    return {
        "prompt": options.prompt,
        "model": {"key": model["key"]},
        **{name: value for name, value in chosen.items() if value is not None},
    }


def _fetch(client: Client, items: Sequence[JsonObject], out: Path | None, seconds: float) -> list[Picture]:
    """Write what the items made; intermediate images are not what was asked for."""
    records = [client.image(name) for item in items for name in image_names(item)]
    made = [record for record in records if not record["is_intermediate"]]
    if not made:
        raise CommandError("the run completed and kept no picture")
    seeds = [_seed(client, record["image_name"]) for record in made]
    paths = numbered(out, len(made)) if out is not None else [Path(f"impasto-{seed}.png") for seed in seeds]
    pictures = []
    for record, seed, path in zip(made, seeds, paths, strict=True):
        write_picture(path, client.image_data(record["image_name"]))
        pictures.append(
            Picture(
                path=path,
                seed=seed,
                image_name=record["image_name"],
                width=record["width"],
                height=record["height"],
                seconds=seconds,
            )
        )
    return pictures


def _seed(client: Client, image_name: str) -> int:
    """The seed that an image was made with, as it remembers it."""
    metadata = client.get(f"/api/v1/images/i/{image_name}/metadata")
    return int(metadata["panel"]["values"]["seed"]["value"])
