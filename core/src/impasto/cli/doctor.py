"""``impasto doctor``: what was found on this machine, what it fell back to, and what is not as it should be."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from impasto.cli.client import Client, JsonObject
from impasto.cli.listings import size_in_words
from impasto.cli.terminal import print_json, waiting

__all__ = ["Finding", "Report", "examine", "print_report"]

#: Less free space than this is worth a word: a model may need it whole.
LITTLE_DISK = 2 * 10**9

Verdict = Literal["ok", "note", "problem"]

_MARKS: dict[Verdict, str] = {"ok": "✓", "note": "·", "problem": "✗"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    verdict: Verdict
    #: What was found, in one line.
    what: str
    #: More sentences: what it fell back to and why, or what to do.
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was looked at."""

    findings: Sequence[Finding] = field(default_factory=tuple)

    @property
    def healthy(self) -> bool:
        """Whether nothing is a problem."""
        return all(finding.verdict != "problem" for finding in self.findings)

    def to_document(self) -> dict[str, object]:
        """As JSON values."""
        return {"healthy": self.healthy, "findings": [asdict(finding) for finding in self.findings]}


def examine(client: Client, root: Path | None, *, wait_s: float) -> Report:
    """Look at a server, and at its root folder when it is here. Waits up to `wait_s` seconds for a worker."""
    version = client.get("/api/v1/app/version")
    server = Finding(subject="server", verdict="ok", what=f"Impasto {version['version']} answers at {client.url}")
    with waiting("Waiting for workers to find their devices"):
        reasons = _until_ready(client, wait_s)
    devices = client.get("/api/v1/app/devices")["devices"]
    return Report(
        [
            server,
            *devices_found(devices, reasons),
            *workers_found(client.get("/api/v1/app/workers")["workers"]),
            *queues_found(client.get("/api/v1/queue/")),
            *plugins_found(client.get("/api/v1/plugins")["plugins"]),
            models_found(client.get("/api/v2/models/")["models"]),
            *(folder_found(root) if root is not None else ()),
        ]
    )


def print_report(report: Report, *, as_json: bool) -> None:
    """Print what was found, line by line, or as JSON."""
    if as_json:
        print_json(report.to_document())
        return
    width = max(len(finding.subject) for finding in report.findings)
    for finding in report.findings:
        print(f"{_MARKS[finding.verdict]} {finding.subject:<{width}}  {finding.what}")
        for note in finding.notes:
            print(f"  {'':<{width}}  {note}")


def devices_found(devices: Sequence[JsonObject], reasons: Sequence[str]) -> list[Finding]:
    """A finding for each device that a worker has, and a problem when no work can be done, as the server says."""
    found = [_device(device) for device in devices]
    if reasons:
        found.append(Finding(subject="work", verdict="problem", what="none can be done now", notes=tuple(reasons)))
    return found


def workers_found(workers: Sequence[JsonObject]) -> list[Finding]:
    """A finding for each worker: what it does, and how often it had to be started again."""
    return [_worker(worker) for worker in workers]


def _worker(worker: JsonObject) -> Finding:
    name = worker["worker_id"] if worker["kind"] == "device" else f"{worker['worker_id']}, without a device,"
    what = f"{name} is {worker['status']}"
    if worker["item_id"] is not None:
        what += f" with item {worker['item_id']}"
    restarts = max(worker["starts"] - 1, 0)
    if restarts:
        what += f", started again {restarts} time{'s' if restarts > 1 else ''}"
    return Finding(
        subject="worker",
        # one that is lost is started again, and another may do its work: whether any can be done is said apart
        verdict="note" if restarts or worker["status"] == "lost" else "ok",
        what=what,
        notes=(worker["reason"],) if worker["reason"] else (),
    )


def queues_found(queues: Sequence[JsonObject]) -> list[Finding]:
    """A finding for each queue in which something waits or runs, or that is paused."""
    return [_queue(queue) for queue in queues if queue["pending"] or queue["in_progress"] or queue["is_paused"]]


def _queue(queue: JsonObject) -> Finding:
    return Finding(
        subject="queue",
        verdict="note" if queue["is_paused"] else "ok",
        what=f"{queue['queue_id']}: {queue['pending']} wait, {queue['in_progress']} run",
        notes=("it is paused, so that what waits does not run",) if queue["is_paused"] else (),
    )


def _device(device: JsonObject) -> Finding:
    memory = f", {size_in_words(device['memory_bytes'])}" if device["memory_bytes"] else ""
    return Finding(
        subject="device",
        # it works; a note is what it fell back to
        verdict="note" if device["notes"] else "ok",
        what=f"{device['name']} ({device['description'] or device['kind']}{memory}) in {device['precision']}",
        notes=tuple(device["notes"]),
    )


def plugins_found(plugins: Sequence[JsonObject]) -> list[Finding]:
    """How many plugins are active, and each that is not with its reason."""
    active = [plugin for plugin in plugins if plugin["state"] == "active"]
    summary = Finding(
        subject="plugins",
        verdict="ok" if active else "problem",
        what=f"{len(active)} of {len(plugins)} active",
        notes=() if active else ("install one: without plugins there are no nodes",),
    )
    others = [
        Finding(
            subject="plugin",
            verdict="note" if plugin["state"] == "disabled" else "problem",
            what=f"{plugin['name']} {plugin['version']} is {plugin['state']}",
            notes=(plugin["reason"],) if plugin["reason"] else (),
        )
        for plugin in plugins
        if plugin["state"] != "active"
    ]
    return [summary, *others]


def models_found(models: Sequence[JsonObject]) -> Finding:
    """How many models there are, and those whose files are gone."""
    gone = [f"{model['name']}: nothing is at {model['path']}" for model in models if not Path(model["path"]).exists()]
    if not models:
        hint = "impasto-starter brings one; others are registered over HTTP"
        return Finding(subject="models", verdict="note", what="none registered", notes=(hint,))
    verdict: Verdict = "problem" if gone else "ok"
    return Finding(subject="models", verdict=verdict, what=f"{len(models)} registered", notes=tuple(gone))


def folder_found(root: Path) -> list[Finding]:
    """The root folder, its database, and the space that is left."""
    free = shutil.disk_usage(root).free
    database = root / "impasto.db"
    # what was written last lies in a file beside it, which may be the larger one
    files = [path for path in (database, root / "impasto.db-wal") if path.exists()]
    size = size_in_words(sum(path.stat().st_size for path in files)) if files else "not there yet"
    return [
        Finding(subject="root folder", verdict="ok", what=str(root)),
        Finding(subject="database", verdict="ok", what=f"{database} ({size})"),
        Finding(
            subject="disk",
            verdict="note" if free < LITTLE_DISK else "ok",
            what=f"{size_in_words(free)} free",
            notes=("models and pictures may soon not fit",) if free < LITTLE_DISK else (),
        ),
    ]


def _until_ready(client: Client, wait_s: float) -> list[str]:
    """Why no worker is ready; empty once one is."""
    deadline = time.monotonic() + wait_s
    while (reasons := client.reasons_not_ready()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return reasons
