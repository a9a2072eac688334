"""`render_home`: what runs here, on one page, for who opens the server's address without a web client."""

from impasto import __version__
from impasto.api.pages.markup import Markup, element, joined, page, picture
from impasto.app import Impasto
from impasto.host import PluginInfo
from impasto.storage.images.dto import ImageQuery

__all__ = ["render_home"]

#: The queue whose counts are shown.
QUEUE = "default"
#: How many pictures are shown.
PICTURES = 12


def render_home(app: Impasto) -> str:
    """The page, as things stand now."""
    head = element(
        "header",
        element("h1", "Impasto"),
        element("span", "version ", __version__, class_="faint"),
        element("nav", element("a", "API", href="/docs"), element("a", "OpenAPI", href="/openapi.json")),
    )
    intro = element(
        "p",
        "The server runs. No web client is installed; use the command line, or the ",
        element("a", "HTTP API", href="/docs"),
        ".",
    )
    sections = [
        _section("Queue", _queue(app)),
        _section("Last pictures", _pictures(app)),
        _section("Devices", _devices(app)),
        _section("Plugins", _plugins(app)),
    ]
    return page("Impasto", joined([head, intro, *sections]))


def _section(title: str, body: Markup) -> Markup:
    return element("section", element("h2", title), body)


def _queue(app: Impasto) -> Markup:
    status = app.queue.status(QUEUE)
    counts = {
        "waiting": status.pending,
        "running": status.in_progress,
        "completed": status.completed,
        "failed": status.failed,
        "cancelled": status.canceled,
    }
    return element("ul", *(element("li", element("b", n), name) for name, n in counts.items()), class_="counts")


def _pictures(app: Impasto) -> Markup:
    images = app.images.list(ImageQuery(is_intermediate=False, starred_first=False), limit=PICTURES).items
    if not images:
        return element("p", "None yet.", class_="faint")
    links = (
        element("a", picture(f"/{image.thumbnail_url}", image.image_name), href=f"/{image.image_url}")
        for image in images
    )
    return element("div", *links, class_="pictures")


def _devices(app: Impasto) -> Markup:
    devices = app.engine.devices()
    if not devices:
        return element("p", "No worker has started yet.", class_="faint")
    rows = (
        element(
            "tr",
            element("td", element("code", device.name)),
            element("td", device.description),
            element("td", device.precision.value),
            element("td", " ".join(device.notes), class_="faint"),
        )
        for device in devices
    )
    return element("table", *rows)


def _contributions(plugin: PluginInfo) -> str:
    """What it adds, as ``invocations 8, panels 2``."""
    return ", ".join(f"{kind.replace('_', ' ')} {len(names)}" for kind, names in plugin.contributions.items() if names)


def _plugins(app: Impasto) -> Markup:
    rows = (
        element(
            "tr",
            element("td", element("code", plugin.name)),
            element("td", plugin.version),
            element("td", plugin.state.value, class_="good" if plugin.active else "bad"),
            element("td", plugin.reason or _contributions(plugin)),
        )
        for plugin in app.host.plugins
    )
    return element("table", *rows)
