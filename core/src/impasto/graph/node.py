"""`GraphNode`: one entry of a graph, as its author wrote it.

A record, not a running thing: it knows its type by name only, so a graph can be read, kept and shown without the
plugins that its nodes come from. Made by `impasto.graph.document` and by whoever builds graphs in code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from impasto.graph.called import CalledGraph
from impasto_sdk.fields import JsonValue

__all__ = ["ANNOTATIONS", "NO_ANNOTATIONS", "GraphNode"]

#: Keys of a node's document that say something about it and are no inputs. They are kept, and mean nothing to a run.
ANNOTATIONS = frozenset({"version", "workflow", "node_pack"})

#: What most nodes have; one for all of them takes no room.
NO_ANNOTATIONS: Mapping[str, JsonValue] = {}


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node: its type by name, and the values written into its inputs."""

    #: Free text, unique in its graph.
    id: str
    #: Name of the node type, e.g. ``img_resize``.
    type: str
    #: Whether what it saves is kept out of the gallery.
    is_intermediate: bool = False
    #: Whether its result may come from the invocation cache; None: as its type says.
    use_cache: bool | None = None
    #: Values by input; a connected input takes what arrives over the edge, whatever is written here.
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    #: Facts about the node that came with its document; see `ANNOTATIONS`.
    annotations: Mapping[str, JsonValue] = field(default_factory=lambda: NO_ANNOTATIONS)
    #: The graph that a call runs; None for other nodes, and for a call that is not resolved.
    called: CalledGraph | None = None

    @property
    def node_pack(self) -> str | None:
        """The plugin that supplied the node type when the graph was saved, if the document says so."""
        pack = self.annotations.get("node_pack")
        return pack if isinstance(pack, str) else None

    def to_document(self) -> dict[str, JsonValue]:
        """The node as a graph document holds it, inputs flat beside its attributes."""
        document: dict[str, JsonValue] = {"id": self.id, "type": self.type, "is_intermediate": self.is_intermediate}
        if self.use_cache is not None:
            document["use_cache"] = self.use_cache
        if self.called is not None:
            document["called"] = self.called.to_document()
        return {**document, **self.annotations, **self.inputs}
