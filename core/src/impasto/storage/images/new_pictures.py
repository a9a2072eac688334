"""A picture on its way into the library: is it whole, and which documents are in it or to be put into it?

Pure: bytes in, bytes out. Files and rows are `impasto.storage.images`', which is the only one that calls this.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from impasto.storage.documents import read_foreign_document
from impasto.storage.images.dto import ImageDocuments
from impasto.storage.pictures import PictureInfo, decode, inspect
from impasto.storage.png_chunks import check_png, is_png, read_texts, with_texts
from impasto_sdk.fields import JsonValue

__all__ = ["NewPicture", "as_facts", "documents_in", "read_picture"]

# keywords of the texts in a PNG file, as InvokeAI writes and reads them
METADATA_KEYWORD = "invokeai_metadata"
GRAPH_KEYWORD = "invokeai_graph"
WORKFLOW_KEYWORD = "invokeai_workflow"


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture that is fit to be stored, and what goes into its row."""

    data: bytes
    info: PictureInfo
    has_workflow: bool
    metadata: dict[str, JsonValue] | None
    #: Only where the file does not carry them.
    documents: ImageDocuments | None


def read_picture(
    data: bytes,
    metadata: Mapping[str, JsonValue] | None = None,
    graph: JsonValue = None,
    workflow: JsonValue = None,
    *,
    thoroughly: bool,
    embed: bool = True,
) -> NewPicture:
    """Check a picture, and write into a PNG what is given; what is not is taken from the texts that it brings.

    `thoroughly`: also what checksums of a stranger's file cannot show. Without `embed` the file stays as it is, byte
    for byte. Raises `UnreadableImageError`.
    """
    info = inspect(data)
    carries_texts = is_png(data)
    if carries_texts:
        check_png(data)
    if thoroughly or not carries_texts:
        decode(data)
    given = {METADATA_KEYWORD: metadata, GRAPH_KEYWORD: graph, WORKFLOW_KEYWORD: workflow}
    texts = {keyword: _as_text(document) for keyword, document in given.items() if document is not None}
    brought = read_texts(data) if carries_texts else {}
    embedded = carries_texts and embed
    return NewPicture(
        data=with_texts(data, texts) if embedded and texts else data,
        info=info,
        has_workflow=WORKFLOW_KEYWORD in texts or WORKFLOW_KEYWORD in brought,
        metadata=dict(metadata) if metadata is not None else as_facts(_parsed(brought.get(METADATA_KEYWORD))),
        documents=None if embedded else ImageDocuments(graph, workflow),
    )


def documents_in(data: bytes) -> ImageDocuments:
    """Graph and workflow that a PNG file carries; None where there is none."""
    texts = read_texts(data)
    return ImageDocuments(_parsed(texts.get(GRAPH_KEYWORD)), _parsed(texts.get(WORKFLOW_KEYWORD)))


def as_facts(document: JsonValue) -> dict[str, JsonValue] | None:
    """A document that is metadata, which is an object; None for any other: the file may be anybody's."""
    return document if isinstance(document, dict) else None


def _as_text(document: JsonValue) -> str:
    """As other programs expect to find it in a PNG: JSON in which every letter stands for itself."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _parsed(text: str | None) -> JsonValue:
    """What a text in a file holds; None when it is not JSON."""
    if text is None:
        return None
    try:
        return read_foreign_document(text.encode())
    except ValueError:
        return None
