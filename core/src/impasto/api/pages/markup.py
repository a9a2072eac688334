"""The few pieces of HTML that both pages are made of. Text is escaped here and nowhere else."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

__all__ = ["Markup", "element", "joined", "page", "picture", "text"]


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Any value as escaped text; markup stays what it is."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def element(tag: str, *children: object, **attributes: str) -> Markup:
    """``<tag attributes>children</tag>``. An attribute's trailing ``_`` falls away, so that `class_` can be written."""
    written = "".join(f' {name.rstrip("_")}="{escape(value)}"' for name, value in attributes.items())
    return Markup(f"<{tag}{written}>{joined(children)}</{tag}>")


def picture(source: str, alternative: str) -> Markup:
    """An ``<img>`` that is loaded when it comes into view."""
    return Markup(f'<img src="{escape(source)}" alt="{escape(alternative)}" loading="lazy">')


def joined(parts: Iterable[object]) -> Markup:
    """The parts one after another."""
    return Markup("".join(text(part) for part in parts))


def page(title: str, body: Markup) -> str:
    """A whole page."""
    folder = files("impasto.api.pages")
    template = Template(folder.joinpath("page.html").read_text("utf-8"))
    style = folder.joinpath("style.css").read_text("utf-8")
    return template.substitute(title=text(title), style=style, body=body)
