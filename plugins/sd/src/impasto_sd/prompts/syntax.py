"""The weighting syntax of prompts, which is compel's: from a text to weighted fragments.

::

    a (red)1.3 ball         a red++ ball        a red- ball         "a red ball"++
    ("a ball", "a cube").blend(0.7, 0.3)        ("a ball", "a cube").and()

Pure, linear in the length of the prompt, and forgiving: a bracket or quote without a partner is text. Not done here:
tokens and tensors, which are the encoder's. Called by the `compel` node and by panels that check a prompt.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from impasto_sd.errors import PromptSyntaxError

__all__ = ["Blend", "Conjunction", "Fragment", "WeightedText", "parse_prompt"]

#: What each ``+`` and each ``-`` multiplies a weight by.
PLUS, MINUS = 1.1, 0.9


@dataclass(frozen=True, slots=True)
class Fragment:
    """Words and what they weigh; 1 is as they are."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class WeightedText:
    """One prompt: fragments in order, neighbours of different weight. Never empty."""

    fragments: tuple[Fragment, ...]


@dataclass(frozen=True, slots=True)
class Blend:
    """Several prompts of which the weighted sum is taken; with `normalize`, the weights are made to sum to 1."""

    prompts: tuple[WeightedText, ...]
    weights: tuple[float, ...]
    normalize: bool = True


@dataclass(frozen=True, slots=True)
class Conjunction:
    """What a text means: parts that stand side by side, each with its weight. Never empty."""

    parts: tuple[WeightedText | Blend, ...]
    weights: tuple[float, ...]


_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"
#: One lexical piece: an escaped symbol, a bracket, a quote, space, or a run of anything else.
_PIECE = re.compile(r"\\[()\"+\-\\,.=]|[()\"]|\s+|(?:[^\s()\"\\]|\\(?![()\"+\-\\,.=]))+")
#: What may follow a closing bracket or quote and weigh the group. A sign needs an end of word behind it.
_GROUP_WEIGHT = re.compile(r"(\++|-+)(?=$|[\s,.;:!?()\"])|((?:\d+\.?\d*|\.\d+))(?![\w.]*\w)")
#: A word that ends in signs, before an end of word or punctuation.
_WORD_WEIGHT = re.compile(r"^(.*[^+-])(\++|-+)([,.;:!?]*)$")
#: A call on a list, e.g. ``).blend(``, and the calls of compel that this is not.
_CALL = re.compile(r"\)\s*\.(blend|and|add|swap|attend)\s*\(")
_WHOLE_CALL = re.compile(r"^\s*\.(blend|and|add)\s*\(([^()]*)\)\s*$")


def parse_prompt(prompt: str) -> Conjunction:
    """What a prompt means. An empty one is one empty fragment.

    Raises `PromptSyntaxError` for a call that cannot be read: a wrong number of weights, a weight that is no number,
    a call in the middle of a prompt, or a call of compel that Impasto leaves out (``.swap``).
    """
    call = _CALL.search(prompt)
    if call is None:
        return Conjunction((_weighted_text(prompt),), (1.0,))
    pieces = _pieces(prompt)
    items, end = _list_items(prompt, pieces)
    match = _WHOLE_CALL.match(prompt[end:]) if items else None
    if match is None:
        name = call.group(1)
        raise PromptSyntaxError(
            prompt,
            call.start() + 1,
            f".{name}() is not understood here",
            'write the whole prompt as ("one", "two").blend(0.7, 0.3) or ("one", "two").and()'
            if name in ("blend", "and", "add")
            else r"it is not supported; for plain text write \) before the full stop",
        )
    texts = tuple(_weighted_text(item) for item in items)
    if match.group(1) == "blend":
        weights, flags = _arguments(prompt, end, match.group(2), len(texts), allowed_flag="no_normalize")
        if not flags and sum(weights) == 0:
            raise PromptSyntaxError(prompt, end, "the weights sum to 0", "add no_normalize to take them as they are")
        return Conjunction((Blend(texts, weights, normalize=not flags),), (1.0,))
    weights, _ = _arguments(prompt, end, match.group(2), len(texts), allowed_flag=None)
    return Conjunction(texts, weights)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A lexical piece: its text, where it begins, and for a bracket or quote the number of its partner, if any."""

    text: str
    start: int
    partner: int | None = None


def _pieces(prompt: str) -> list[_Piece]:
    """The pieces of a prompt, brackets and quotes matched. Those without a partner stay text."""
    found = [(match.group(), match.start()) for match in _PIECE.finditer(prompt)]
    partners: dict[int, int] = {}
    open_pieces: list[int] = []
    quotes_open = 0
    for number, (text, _) in enumerate(found):
        if text == "(":
            open_pieces.append(number)
        elif text == ")":
            if open_pieces and found[open_pieces[-1]][0] == "(":
                opener = open_pieces.pop()
                partners[opener], partners[number] = number, opener
        elif text == '"':
            if not quotes_open:
                open_pieces.append(number)
                quotes_open += 1
                continue
            # brackets that were opened inside the quotes and not closed there are text
            while found[open_pieces[-1]][0] != '"':
                open_pieces.pop()
            opener = open_pieces.pop()
            quotes_open -= 1
            partners[opener], partners[number] = number, opener
    return [_Piece(text, start, partners.get(number)) for number, (text, start) in enumerate(found)]


def _weighted_text(prompt: str) -> WeightedText:
    fragments: list[Fragment] = []
    for text, weight in _words(prompt):
        if fragments and fragments[-1].weight == weight:
            fragments[-1] = Fragment(f"{fragments[-1].text} {text}", weight)
        else:
            fragments.append(Fragment(text, weight))
    return WeightedText(tuple(fragments) or (Fragment(""),))


def _words(prompt: str) -> Iterator[tuple[str, float]]:
    """Each word with its weight; what stands together without a space or a group's edge is one word."""
    pieces = _pieces(prompt)
    group_weights, skip_until = _group_weights(prompt, pieces)
    scale = [1.0]
    word, position = "", 0
    for number, piece in enumerate(pieces):
        text = piece.text
        if piece.partner is None and not text.isspace():
            # signs and numbers that weigh the group before are not text
            begin = max(piece.start, position)
            word += _unescaped(prompt[begin : piece.start + len(text)])
            if not _ends_word(pieces, number):
                continue
        if word:
            yield from _weighed(word, scale[-1])
            word = ""
        if piece.partner is not None and piece.partner > number:
            scale.append(scale[-1] * group_weights.get(number, 1.0))
        elif piece.partner is not None:
            scale.pop()
            position = skip_until.get(number, position)
    if word:
        yield from _weighed(word, scale[-1])


def _ends_word(pieces: Sequence[_Piece], number: int) -> bool:
    following = pieces[number + 1] if number + 1 < len(pieces) else None
    return following is None or following.text.isspace() or following.partner is not None


def _group_weights(prompt: str, pieces: Sequence[_Piece]) -> tuple[dict[int, float], dict[int, int]]:
    """The weight of each group by the number of its opening piece, and how far the text of that weight reaches."""
    weights: dict[int, float] = {}
    reach: dict[int, int] = {}
    for number, piece in enumerate(pieces):
        if piece.partner is None or piece.partner > number:
            continue
        match = _GROUP_WEIGHT.match(prompt, piece.start + 1)
        if match is not None:
            signs, factor = match.groups()
            weights[piece.partner] = _signed(signs) if signs else float(factor)
            reach[number] = match.end()
    return weights, reach


def _weighed(word: str, scale: float) -> Iterator[tuple[str, float]]:
    match = _WORD_WEIGHT.match(word)
    if match is None:
        yield _plain(word), scale
        return
    stem, signs, punctuation = match.groups()
    yield _plain(stem), scale * _signed(signs)
    if punctuation:
        yield _plain(punctuation), scale


#: Escaped signs are kept apart from real ones until a word's weight is read.
_ESCAPED = {"+": "\ue000", "-": "\ue001"}
_PLAIN = str.maketrans({mark: sign for sign, mark in _ESCAPED.items()})


def _unescaped(text: str) -> str:
    return _ESCAPED.get(text[1], text[1]) if len(text) == 2 and text[0] == "\\" and text[1] in '()"+-\\,.=' else text


def _plain(text: str) -> str:
    return text.translate(_PLAIN)


def _signed(signs: str) -> float:
    return (PLUS if signs[0] == "+" else MINUS) ** len(signs)


def _list_items(prompt: str, pieces: Sequence[_Piece]) -> tuple[list[str], int]:
    """The items of a prompt that begins with a bracketed list, and where the list ends; no items when it is none."""
    first = next((number for number, piece in enumerate(pieces) if not piece.text.isspace()), None)
    if first is None or pieces[first].text != "(" or pieces[first].partner is None:
        return [], 0
    last = pieces[first].partner
    assert last is not None
    items: list[str] = []
    start = pieces[first].start + 1
    depth_end = first
    for number in range(first + 1, last):
        piece = pieces[number]
        if piece.partner is not None and piece.partner > number:
            depth_end = max(depth_end, piece.partner)
        if number <= depth_end or piece.partner is not None:
            continue
        for comma in re.finditer(",", "" if piece.text.startswith("\\") else piece.text):
            items.append(prompt[start : piece.start + comma.start()])
            start = piece.start + comma.end()
    items.append(prompt[start : pieces[last].start])
    return [_unquoted(item.strip()) for item in items], pieces[last].start + 1


def _unquoted(item: str) -> str:
    return item[1:-1] if len(item) > 1 and item[0] == item[-1] == '"' else item


def _arguments(
    prompt: str, position: int, text: str, count: int, *, allowed_flag: str | None
) -> tuple[tuple[float, ...], bool]:
    """The weights of a call, one for each of `count` items (1 when none are given), and whether the flag stands."""
    words = [word.strip() for word in text.split(",")] if text.strip() else []
    flagged = allowed_flag is not None and allowed_flag in words
    numbers = [word for word in words if word != allowed_flag]
    for number in numbers:
        if not re.fullmatch(_NUMBER, number):
            raise PromptSyntaxError(prompt, position, f"{number!r} is no weight", "write a number such as 0.7")
    if numbers and len(numbers) != count:
        raise PromptSyntaxError(
            prompt, position, f"{count} prompts have {len(numbers)} weights", f"give {count} numbers, or none"
        )
    return tuple(float(number) for number in numbers) or (1.0,) * count, flagged
