"""How a batch is stored, and how it and its items come back from the store.

In parts, by who needs them: a session needs the graph and its context, and never the values of all the others. Pure;
used by the session queue only.
"""

import hashlib

from impasto.queue.expansion import substituted
from impasto.queue.metadata_bindings import resolve_bindings
from impasto.queue.records import Batch, ClaimedItem, MetadataBinding
from impasto.storage.documents import dump_document, load_document
from impasto.storage.queue.rows import BatchRow, Claimed, Plan
from impasto_sdk.fields import JsonValue

__all__ = ["asked_for", "batch_from", "claimed_item", "expansion_of", "fingerprint", "plan_of"]


def expansion_of(batch: Batch) -> str:
    """What made its sessions, as JSON."""
    return dump_document(batch.model_dump(include={"data", "runs", "session_ids", "targets"}))


def plan_of(batch: Batch) -> Plan:
    """What all its sessions have in common."""
    context = batch.model_dump(include={"workflow", "metadata", "metadata_bindings"})
    return Plan(graph=dump_document(batch.graph), context=dump_document(context))


def asked_for(batch: Batch) -> JsonValue:
    """What a batch asks for: all of it but its id, which is random unless the client chose one."""
    return batch.model_dump(exclude={"batch_id"})


def fingerprint(request: JsonValue, *, prepend: bool) -> str:
    """A hash of what is asked for: what a batch was made from, or the batch itself as `asked_for` gives it."""
    document = {"asked_for": request, "prepend": prepend}
    return hashlib.blake2b(dump_document(document, sort_keys=True).encode(), digest_size=16).hexdigest()


def batch_from(row: BatchRow) -> Batch:
    """The batch as it was stored."""
    return Batch.model_validate(
        {
            **load_document(row.expansion),
            **load_document(row.plan.context),
            "graph": load_document(row.plan.graph),
            "batch_id": row.batch_id,
            "origin": row.origin,
            "destination": row.destination,
        }
    )


def claimed_item(claimed: Claimed) -> ClaimedItem:
    """What a worker is given: the graph with the item's values put in, and the metadata that says so."""
    item, context = claimed.change.item, load_document(claimed.plan.context)
    values = () if item.field_values is None else load_document(item.field_values)
    graph = substituted(load_document(claimed.plan.graph), values)
    bindings = [MetadataBinding.model_validate(binding) for binding in context["metadata_bindings"]]
    return ClaimedItem(
        item_id=item.item_id,
        queue_id=item.queue_id,
        batch_id=item.batch_id,
        session_id=item.session_id,
        user_id=item.user_id,
        origin=item.origin,
        destination=item.destination,
        graph=graph,
        workflow=context["workflow"],
        metadata=resolve_bindings(context["metadata"], bindings, graph),
        attempt=item.attempts,
    )
