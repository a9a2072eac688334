"""`exposition`: all metrics of a server, as Prometheus or OpenMetrics text.

prometheus-client writes it. It takes 0.1 s to import, a tenth of what a server may take to start, so it is imported
when somebody asks for the first time.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from impasto.api.metric_readings import read_metrics
from impasto.app import Impasto
from impasto.app.histogram import SECONDS, HistogramReading
from impasto.app.metric_table import METRICS, Metric
from impasto.app.metrics import Labels

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

__all__ = ["exposition"]

_OPEN_METRICS = "application/openmetrics-text"


def exposition(app: Impasto, accept: str = "") -> tuple[bytes, str]:
    """The text and its media type: OpenMetrics where `accept`, a header, names it, else Prometheus' own format."""
    from prometheus_client import ProcessCollector
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.registry import Collector

    class Page(Collector):
        """What is written: ours, then what can be told of any process."""

        def collect(self) -> Iterable["Family"]:
            yield from _families(app)
            yield from ProcessCollector(registry=None).collect()

    # not the header itself: what clients write into it beside the name has no meaning here, and may be malformed
    encode, media_type = choose_encoder(_OPEN_METRICS if _OPEN_METRICS in accept.lower() else "")
    return encode(Page()), media_type


def _families(app: Impasto) -> Iterator["Family"]:
    tally, readings = app.metrics.tally(), read_metrics(app)
    for metric in METRICS:
        if metric.kind == "histogram":
            yield _histogram(metric, tally.histograms.get(metric.name, {}))
        else:
            yield _family(metric, tally.counters.get(metric.name) or readings.get(metric.name) or {})


def _family(metric: Metric, values: Mapping[Labels, float]) -> "Family":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

    family: CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily
    if metric.kind == "info":
        family = InfoMetricFamily(metric.name.removesuffix("_info"), metric.help)
        for labels in values:
            family.add_metric([], dict(zip(metric.labels, labels, strict=True)))
        return family
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, readings: Mapping[Labels, HistogramReading]) -> "Family":
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    bounds = [str(float(bound)) for bound in SECONDS]
    for labels, reading in sorted(readings.items()):
        buckets = [*zip(bounds, reading.within, strict=True), ("+Inf", reading.count)]
        family.add_metric(labels, buckets, sum_value=reading.total)
    return family
