"""What is counted of the events: each once, by labels of which there are few, whatever clients and plugins choose."""

from typing import Any

import pytest

from impasto.app.histogram import SECONDS, Histogram
from impasto.app.metric_table import METRICS
from impasto.app.metrics import OTHER, Metrics
from impasto_sdk.events import (
    BatchEnqueuedEvent,
    Event,
    InvocationCompleteEvent,
    InvocationErrorEvent,
    InvocationProgressEvent,
    ModelLoadCompleteEvent,
    QueueItemsCanceledEvent,
    QueueItemsRetriedEvent,
    QueueItemStatusChangedEvent,
    WorkerStatusChangedEvent,
)

ITEM: dict[str, Any] = {"queue_id": "default", "item_id": 7, "batch_id": "b", "session_id": "s"}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics({"add", "div"}, most_queues=3)


def changed(status: str, sequence: int = 1, **more: Any) -> Event:
    facts = {**ITEM, "created_at": "2026-03-01T12:00:00.000000Z", **more}
    return QueueItemStatusChangedEvent(**facts, status=status, status_sequence=sequence)


def completed(node_type: str = "add", *, cached: bool = False, duration_s: float | None = 0.02) -> Event:
    invocation = {"id": "a", "type": node_type}
    return InvocationCompleteEvent(
        **ITEM, invocation=invocation, invocation_source_id="a", result={}, cached=cached, duration_s=duration_s
    )


def counts(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    return dict(metrics.tally().counters.get(name, {}))


def test_a_histogram_counts_a_value_under_every_bound_that_it_does_not_exceed() -> None:
    histogram = Histogram((1, 10))
    for value in (0.5, 1, 2, 10, 11):
        histogram.observe(value)
    reading = histogram.reading()
    assert reading.within == (2, 4)
    assert (reading.count, reading.total) == (5, 24.5)


def test_a_clock_that_was_set_back_counts_as_no_time() -> None:
    histogram = Histogram((1,))
    histogram.observe(-3600)
    assert (histogram.reading().within, histogram.reading().total) == ((1,), 0)


def test_bounds_rise_from_a_millisecond_to_ten_minutes() -> None:
    assert (SECONDS[0], SECONDS[-1]) == (0.001, 600)
    assert list(SECONDS) == sorted(set(SECONDS))


def test_an_item_waits_from_its_creation_to_its_first_start_and_runs_from_its_last_start(metrics: Metrics) -> None:
    first, second = "2026-03-01T12:00:03.000000Z", "2026-03-01T12:05:00.000000Z"
    metrics.hear(changed("in_progress", 1, started_at=first))
    metrics.hear(changed("pending", 2))
    metrics.hear(changed("in_progress", 3, started_at=second))
    metrics.hear(changed("completed", 4, started_at=second, completed_at="2026-03-01T12:05:02.500000Z"))
    tally = metrics.tally()
    assert counts(metrics, "impasto_queue_items_total") == {
        ("default", "in_progress"): 2,
        ("default", "pending"): 1,
        ("default", "completed"): 1,
    }
    (wait,) = tally.histograms["impasto_queue_item_wait_seconds"].values()
    assert (wait.count, wait.total) == (1, 3.0)
    run = tally.histograms["impasto_queue_item_run_seconds"]["default", "completed"]
    assert (run.count, run.total) == (1, 2.5)


def test_an_item_that_is_canceled_while_it_waits_has_not_run(metrics: Metrics) -> None:
    metrics.hear(changed("canceled", completed_at="2026-03-01T12:05:02.500000Z"))
    assert counts(metrics, "impasto_queue_items_total") == {("default", "canceled"): 1}
    assert metrics.tally().histograms == {}


def test_many_items_that_one_event_tells_of_count_each(metrics: Metrics) -> None:
    metrics.hear(BatchEnqueuedEvent(queue_id="default", batch_id="b", enqueued=1000, requested=1000, priority=0))
    metrics.hear(QueueItemsCanceledEvent(queue_id="default", canceled_item_ids=[1, 2, 3]))
    metrics.hear(QueueItemsRetriedEvent(queue_id="default", retried_item_ids=[1, 2], item_ids=[1001, 1002]))
    assert counts(metrics, "impasto_queue_items_total") == {("default", "pending"): 1002, ("default", "canceled"): 3}
    assert set(counts(metrics, "impasto_events_total").values()) == {1}


def test_nodes_are_timed_by_type_with_cached_ones_apart(metrics: Metrics) -> None:
    metrics.hear(completed(duration_s=0.02))
    metrics.hear(completed(duration_s=0.03))
    metrics.hear(completed(cached=True, duration_s=0.0001))
    metrics.hear(completed("div", duration_s=None))
    assert counts(metrics, "impasto_invocations_total") == {
        ("add", "completed"): 2,
        ("add", "cached"): 1,
        ("div", "completed"): 1,
    }
    times = metrics.tally().histograms["impasto_invocation_seconds"]
    assert set(times) == {("add", "false"), ("add", "true")}
    assert times["add", "false"].total == pytest.approx(0.05)


def test_a_node_that_failed_is_counted_and_a_graph_that_cannot_run_is_no_node(metrics: Metrics) -> None:
    error: dict[str, Any] = {**ITEM, "error_type": "E", "error_message": "", "error_traceback": ""}
    metrics.hear(InvocationErrorEvent(**error, invocation={"id": "d", "type": "div"}, invocation_source_id="d"))
    metrics.hear(InvocationErrorEvent(**error, invocation={"id": ""}, invocation_source_id=""))
    assert counts(metrics, "impasto_invocations_total") == {("div", "failed"): 1}


def test_a_node_type_that_is_not_in_force_has_no_figures_of_its_own(metrics: Metrics) -> None:
    for number in range(100):
        metrics.hear(completed(f"stranger_{number}"))
    assert counts(metrics, "impasto_invocations_total") == {(OTHER, "completed"): 100}


def test_queues_beyond_the_first_few_are_counted_together(metrics: Metrics) -> None:
    for number in range(100):
        metrics.hear(changed("in_progress", queue_id=f"queue {number}", started_at="2026-03-01T12:00:01.000000Z"))
    metrics.hear(changed("completed"))
    found = counts(metrics, "impasto_queue_items_total")
    assert found == {
        ("queue 0", "in_progress"): 1,
        ("queue 1", "in_progress"): 1,
        (OTHER, "in_progress"): 98,
        ("default", "completed"): 1,
    }
    assert [metrics.queue_label(name) for name in ("default", "queue 1", "queue 2")] == ["default", "queue 1", OTHER]


def test_loads_losses_and_progress_are_counted(metrics: Metrics) -> None:
    metrics.hear(ModelLoadCompleteEvent(config={"base": "sdxl", "type": "main"}, duration_s=4.5))
    metrics.hear(WorkerStatusChangedEvent(worker_id="cpu-0", status="lost", reason="gone"))
    metrics.hear(WorkerStatusChangedEvent(worker_id="cpu-0", status="starting"))
    invocation = {"id": "a", "type": "add"}
    metrics.hear(InvocationProgressEvent(**ITEM, invocation=invocation, invocation_source_id="a", message=""))
    (load,) = metrics.tally().histograms["impasto_model_load_seconds"].items()
    assert (load[0], load[1].total) == (("sdxl", "main"), 4.5)
    assert counts(metrics, "impasto_worker_losses_total") == {("cpu-0",): 1}
    assert counts(metrics, "impasto_events_total")["invocation_progress",] == 1


def test_a_tally_is_of_its_moment(metrics: Metrics) -> None:
    before = metrics.tally()
    metrics.hear(completed())
    assert before.counters == {}
    assert before.histograms == {}


def test_names_follow_the_conventions_of_prometheus() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    for metric in METRICS:
        assert metric.name.startswith("impasto_")
        assert (metric.kind == "counter") == metric.name.endswith("_total"), metric.name
        assert metric.kind != "histogram" or metric.name.endswith("_seconds"), metric.name
        assert (metric.kind == "info") == metric.name.endswith("_info"), metric.name
        assert metric.help
        assert not metric.help.endswith(".")
