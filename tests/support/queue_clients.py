"""Clients of the queue that do what people and programs do to it, at random, and write down what they were told.

`QueueClient` is one of them; a `Ledger` is what all of them know together. What the ledger says is compared with what
the server and its database say in the end. Seeds are fixed, so that a client makes the same choices for as long as
the server gives it the same answers.
"""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

__all__ = ["ENDED", "Ledger", "QueueClient"]

#: Statuses that an item does not leave.
ENDED = frozenset({"completed", "failed", "canceled"})
#: Most runs that a client asks for at once.
MOST_RUNS = 40


@dataclass
class Ledger:
    """What all clients were told. Each method may be called from any thread."""

    #: Queue of every item that an enqueueing or a retry gave out.
    accepted: dict[int, str] = field(default_factory=dict)
    #: Items that were said to be cancelled, or deleted, before they began.
    never_begun: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    batches: dict[str, str] = field(default_factory=dict)
    #: How often each thing was done, and what it was answered with.
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, queue_id: str, item_ids: Sequence[int], batch_id: str | None = None) -> None:
        """Note new items; none may be there yet."""
        with self._lock:
            known = [item_id for item_id in item_ids if item_id in self.accepted]
            assert known == [], f"given out twice: {known}"
            self.accepted.update(dict.fromkeys(item_ids, queue_id))
            if batch_id is not None:
                self.batches[batch_id] = queue_id

    def never(self, item_ids: Sequence[int]) -> None:
        """Note items that have not begun and now never will."""
        with self._lock:
            self.never_begun.update(item_ids)

    def delete(self, item_id: int) -> None:
        """Note an item that is gone."""
        with self._lock:
            self.deleted.add(item_id)

    def answer(self, what: str, status: int) -> None:
        """Note what a request was answered with."""
        with self._lock:
            self.answers[what, status] += 1

    def some_item(self, choice: random.Random) -> tuple[str, int] | None:
        """One of the items, with its queue: a recent one as a rule, for the others have mostly ended."""
        with self._lock:
            item_ids = list(self.accepted)
            if not item_ids:
                return None
            item_id = choice.choice(item_ids[-200:] if choice.random() < 0.8 else item_ids)
            return self.accepted[item_id], item_id

    def some_batch(self, choice: random.Random) -> tuple[str, str] | None:
        """One of the newest batches, with its queue."""
        with self._lock:
            recent = list(self.batches)[-10:]
            if not recent:
                return None
            batch_id = choice.choice(recent)
            return self.batches[batch_id], batch_id


class QueueClient:
    """One client. `node` makes the document of the node that its items run, for a duration and whether it fails."""

    def __init__(
        self, seed: str, url: str, ledger: Ledger, queues: Sequence[str], node: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._choice = random.Random(seed)
        self._ledger = ledger
        self._queues = queues
        self._node = node
        self._http = httpx.Client(base_url=f"{url}/api/v1/queue", timeout=120, trust_env=False)
        #: What it does, with how often.
        self._habits: dict[Callable[[], None], int] = {
            self.enqueue: 6,
            self.cancel_item: 5,
            self.cancel_batch: 1,
            self.retry: 3,
            self.move: 4,
            self.reprioritise: 2,
            self.delete: 2,
            self.look: 4,
            self.page: 3,
            self.pause_and_resume: 1,
        }

    def work_until(self, over: threading.Event) -> None:
        """Do one thing after the other until it is over."""
        with self._http:
            while not over.is_set():
                (habit,) = self._choice.choices([*self._habits], weights=[*self._habits.values()])
                habit()

    def enqueue(self) -> None:
        """Put a batch into a queue; now and then say so twice, as a client does that has lost the answer."""
        choice, queue_id = self._choice, self._choice.choice(self._queues)
        count = choice.randint(1, MOST_RUNS)
        batch_id = str(uuid.UUID(int=choice.getrandbits(128)))
        data = [
            {"node_path": "tick", "field_name": name, "items": items}
            for name, items in {
                "takes_s": [choice.choice([0.0, 0.0, 0.0, 0.01, 0.03]) for _ in range(count)],
                "fails": [choice.random() < 0.1 for _ in range(count)],
            }.items()
        ]
        batch = {"batch_id": batch_id, "graph": {"nodes": {"tick": dict(self._node())}, "edges": []}, "data": [data]}
        request = {"batch": batch, "prepend": choice.random() < 0.2}
        path, headers = f"/{queue_id}/enqueue_batch", {"Idempotency-Key": f"key of {batch_id}"}
        answer = self._ask("enqueue", "POST", path, (201, 429), json=request, headers=headers)
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) > 0
            return
        item_ids = answer.json()["item_ids"]
        assert len(item_ids) == count
        self._ledger.accept(queue_id, item_ids, batch_id)
        if choice.random() < 0.3:
            again = self._ask("enqueue again", "POST", path, (201,), json=request, headers=headers)
            assert again.json()["item_ids"] == item_ids

    def cancel_item(self) -> None:
        """Cancel an item, whoever enqueued it."""
        if (found := self._ledger.some_item(self._choice)) is not None:
            answer = self._ask("cancel", "PUT", "/{}/i/{}/cancel".format(*found), (200, 404))
            if answer.status_code == 200:
                item = answer.json()
                assert item["status"] in ENDED
                if item["status"] == "canceled" and item["started_at"] is None:
                    self._ledger.never([found[1]])

    def cancel_batch(self) -> None:
        """Cancel what is left of a batch."""
        if (found := self._ledger.some_batch(self._choice)) is not None:
            queue_id, batch_id = found
            body = {"batch_ids": [batch_id]}
            self._ask("cancel batch", "PUT", f"/{queue_id}/cancel_by_batch_ids", (200,), json=body)
            status = self._ask("batch status", "GET", f"/{queue_id}/b/{batch_id}/status", (200, 404))
            if status.status_code == 200:
                counts = status.json()
                assert counts["total"] == sum(counts[name] for name in ("pending", "in_progress", "waiting", *ENDED))

    def retry(self) -> None:
        """Run some items again that did not complete."""
        found = self._ledger.some_item(self._choice)
        if found is None:
            return
        queue_id, newest = found
        items = self._summaries(queue_id, [item_id for item_id in range(newest - 20, newest + 1) if item_id > 0])
        wanted = [item["item_id"] for item in items if item["status"] in ("failed", "canceled")]
        if wanted:
            path, headers = f"/{queue_id}/retry_items_by_id", {"Idempotency-Key": f"retry {self._choice.random()}"}
            answer = self._ask("retry", "PUT", path, (200, 404, 429), json=wanted, headers=headers)
            if answer.status_code == 200:
                again = answer.json()["item_ids"]
                assert len(again) == len(wanted)
                self._ledger.accept(queue_id, again)
                repeated = self._ask("retry again", "PUT", path, (200,), json=wanted, headers=headers)
                assert repeated.json()["item_ids"] == again

    def move(self) -> None:
        """Put an item somewhere else."""
        found, other = (self._ledger.some_item(self._choice) for _ in range(2))
        if found is not None and other is not None:
            queue_id, item_id = found
            where = self._choice.choice([{"to": "front"}, {"to": "back"}, {"before": other[1]}, {"after": other[1]}])
            self._ask("move", "PUT", f"/{queue_id}/i/{item_id}/move", (200, 404, 409), json=where)

    def reprioritise(self) -> None:
        """Give an item another priority."""
        if (found := self._ledger.some_item(self._choice)) is not None:
            queue_id, item_id = found
            body = {"priority": self._choice.randint(-2, 2)}
            self._ask("priority", "PUT", f"/{queue_id}/i/{item_id}/priority", (200, 404, 409), json=body)

    def delete(self) -> None:
        """Delete an item."""
        if (found := self._ledger.some_item(self._choice)) is not None:
            queue_id, item_id = found
            answer = self._ask("delete", "DELETE", f"/{queue_id}/i/{item_id}", (200, 204, 404))
            if answer.status_code != 404:
                self._ledger.delete(item_id)
                gone = self._ask("look at deleted", "GET", f"/{queue_id}/i/{item_id}", (404,))
                assert str(item_id) in gone.json()["detail"]

    def look(self) -> None:
        """Ask how full a queue is, and what runs in it."""
        queue_id = self._choice.choice(self._queues)
        counts = self._ask("status", "GET", f"/{queue_id}/status", (200,)).json()["queue"]
        assert counts["total"] == sum(counts[name] for name in ("pending", "in_progress", "waiting", *ENDED))
        assert min(counts[name] for name in ("pending", "in_progress", "waiting", *ENDED)) >= 0
        assert counts["in_progress"] <= 3, "more run than there are workers"
        self._ask("current", "GET", f"/{queue_id}/current", (200,))
        self._ask("next", "GET", f"/{queue_id}/next", (200,))

    def page(self) -> None:
        """Fetch the numbers of all items of a queue, then a page of them, whole and in short."""
        queue_id = self._choice.choice(self._queues)
        item_ids = self._ask("item ids", "GET", f"/{queue_id}/item_ids", (200,)).json()["item_ids"]
        assert item_ids == sorted(set(item_ids), reverse=True)
        start = self._choice.randrange(len(item_ids) + 1)
        wanted = item_ids[start : start + 25]
        items = self._ask("items", "POST", f"/{queue_id}/items_by_ids", (200,), json={"item_ids": wanted}).json()
        for found in (items, self._summaries(queue_id, wanted)):
            # what was deleted between two requests is left out, and nothing else
            assert [item["item_id"] for item in found] == [
                item_id for item_id in wanted if item_id in {item["item_id"] for item in found}
            ]
            assert {item["queue_id"] for item in found} <= {queue_id}

    def pause_and_resume(self) -> None:
        """Halt the second queue, and let it go on."""
        for what in ("pause", "resume"):
            self._ask(what, "PUT", f"/{self._queues[-1]}/processor/{what}", (200,))

    def _summaries(self, queue_id: str, item_ids: Sequence[int]) -> list[dict[str, Any]]:
        path = f"/{queue_id}/item_summaries_by_ids"
        answer = self._ask("summaries", "POST", path, (200,), json={"item_ids": list(item_ids)})
        found: list[dict[str, Any]] = answer.json()
        return found

    def _ask(self, what: str, method: str, path: str, expected: Sequence[int], **options: Any) -> httpx.Response:
        answer = self._http.request(method, path, **options)
        self._ledger.answer(what, answer.status_code)
        assert answer.status_code in expected, f"{what}: {method} {path} answered {answer.status_code}: {answer.text}"
        return answer
