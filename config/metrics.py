"""/metrics: what monitoring should know, in Prometheus text, read from the database when it is asked.

It answers who holds the token LATCHKEY_METRICS_TOKEN; without one configured there is no such page. No label names a
person.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

import integrations.queries
from access_requests.queries import measures
from config import watchdog
from integrations.choices import ConnectorHealth

BOUNDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)


class _Database(Collector):
    """Reads everything at the moment of the scrape."""

    def collect(self) -> Iterator[Metric]:
        """Yield each family."""
        now = timezone.now()
        yield from _overdue(now)
        yield _lags(now)
        yield _orders()
        yield from _life(now)


def _overdue(at: datetime) -> Iterator[Metric]:
    late = GaugeMetricFamily("latchkey_overdue_ends", "Ends that are overdue.", labels=["integration"])
    for name, number in sorted(measures.overdue_by_integration().items()):
        late.add_metric([name], number)
    yield late
    yield GaugeMetricFamily(
        "latchkey_overdue_oldest_seconds",
        "For how long the oldest overdue end has been due; 0 when none is.",
        value=measures.oldest_overdue_seconds(at),
    )
    yield GaugeMetricFamily(
        "latchkey_declared_ends_last_day", "Ends declared by hand, not proven.", value=measures.declared_count(at)
    )


def _lags(at: datetime) -> Metric:
    told = measures.lags(BOUNDS, at)
    buckets = [(str(bound), float(number)) for bound, number in told.buckets] + [("+Inf", float(told.count))]
    words = "From due to proven, of the ends proven in the last day. A window, so it may fall."
    return HistogramMetricFamily("latchkey_end_lag_last_day_seconds", words, buckets=buckets, sum_value=told.seconds)


def _orders() -> Metric:
    family = GaugeMetricFamily("latchkey_orders", "Open orders.", labels=["integration", "state"])
    for name, state, number in integrations.queries.open_by_integration():
        family.add_metric([name, state], number)
    return family


def _life(at: datetime) -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        "latchkey_job_age_seconds", "Since a job of the timetable last ended well.", labels=["job"]
    )
    for job in watchdog.jobs(at):
        if job.seen is not None:
            ages.add_metric([job.line.task], max(0.0, (at - job.seen).total_seconds()))
    yield ages
    silent = GaugeMetricFamily(
        "latchkey_connector_silent", "1 when no instance of a connector has been heard of.", labels=["connector"]
    )
    for one in integrations.queries.connectors(at):
        silent.add_metric([one.connector.name], 1 if one.health == ConnectorHealth.SILENT else 0)
    yield silent


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Database())
    return registry


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape that brings the token; 404 when none is configured, 401 for any other."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse("Bring the token.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)
