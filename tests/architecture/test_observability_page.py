"""The operators' page on observability names every figure, bound and field there is, and no other."""

import re

from support.sources import WORKSPACE

from impasto.app.histogram import SECONDS
from impasto.app.metric_table import METRICS, Metric
from impasto.app.metrics import MOST_QUEUES
from impasto.engine.log_fields import LOG_FIELDS

PAGE = (WORKSPACE / "docs" / "operators" / "observability.md").read_text("utf-8")


def labels_of(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels) or "–"


def test_the_table_of_metrics_is_complete_and_says_what_the_metrics_page_says() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `impasto_")]
    wanted = [f"| `{one.name}` | {one.kind} | {labels_of(one)} | {one.help} |" for one in METRICS]
    assert rows == wanted


def test_every_figure_in_a_query_or_an_alert_exists() -> None:
    names = set(re.findall(r"\bimpasto_[a-z_]+", PAGE))
    ends = ("", "_bucket", "_sum", "_count")
    assert names <= {metric.name + end for metric in METRICS for end in ends}


def test_the_bounds_of_times_are_those_in_use() -> None:
    *first, last = (f"{bound:g}" for bound in SECONDS)
    assert f"in buckets of {', '.join(first)} and {last}." in PAGE.replace("\n", " ")


def test_the_number_of_queues_with_figures_of_their_own_is_the_one_in_force() -> None:
    assert f"the first {MOST_QUEUES - 1} others" in PAGE


def test_every_field_of_the_log_is_in_the_table() -> None:
    table = "".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    for field in (*LOG_FIELDS, "timestamp", "level", "logger", "message", "exception", "stack"):
        assert f"`{field}`" in table, field
