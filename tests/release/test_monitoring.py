# SPDX-License-Identifier: Apache-2.0
"""Alerts and dashboard ask for metrics that there are, with labels that they have."""
import json
import re
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
import yaml

from support import daemon as daemons

MONITORING = Path(__file__).resolve().parents[2] / "packaging/monitoring"
OF_PROMETHEUS = {"up"}
ADDED_BY_PROMETHEUS = {"instance", "job"}


@pytest.fixture(scope="module")
def metrics(database):
    """Name → labels, of a daemon that has been asked something."""
    daemon = daemons.Daemon(database)
    requests.get(f"{daemon.url}/readyz", timeout=30)
    text = requests.get(f"{daemon.url}/metrics", timeout=30).text
    daemon.stop()
    found = {}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? [\d.]+$", text, re.MULTILINE):
        found.setdefault(name, set()).update(re.findall(r'([a-z_]+)="', labels))
    return found


def expressions():
    rules = yaml.safe_load((MONITORING / "asnd.rules.yml").read_text(encoding="utf-8"))
    dashboard = json.loads((MONITORING / "asnd.dashboard.json").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


FUNCTIONS = {"sum", "by", "rate", "deriv", "topk", "histogram_quantile"}


@pytest.mark.parametrize("title,expression", expressions())
def test_what_is_asked_for_is_there(metrics, title, expression):
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    labels = {label for group in re.findall(r"by \(([^)]*)\)", bare) for label in group.replace(" ", "").split(",")}
    labels |= set(re.findall(r"([a-z_]+)=", bare))
    names = set(re.findall(r"[a-z_]{2,}", re.sub(r"by \([^)]*\)|\{[^}]*\}|\d+e\d+", "", bare))) - FUNCTIONS - OF_PROMETHEUS
    assert names or "up" in bare, title
    assert names <= set(metrics), title
    known = set().union(*(metrics[name] for name in names)) | ADDED_BY_PROMETHEUS
    assert labels <= known, title


def test_every_metric_is_watched(metrics):
    """Each stands in an alert or on the dashboard, but those that say when something was."""
    asked = " ".join(expression for _, expression in expressions())
    unwatched = {re.sub("_(bucket|sum|count)$", "", name) for name in metrics} - {"process_start_time_seconds", "asnd_provider_fetches_total", "asnd_provider_keys"}
    assert {name for name in unwatched if name not in asked} == set()


def test_each_alert_says_what_to_do():
    rules = yaml.safe_load((MONITORING / "asnd.rules.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket") and rule["for"], rule["alert"]
            assert rule["annotations"]["summary"] and rule["annotations"]["description"], rule["alert"]


@pytest.fixture
def daemon(database):
    made = daemons.Daemon(database)
    yield made
    made.stop()


def test_the_process_is_measured(daemon):
    def value(name):
        text = requests.get(f"{daemon.url}/metrics", timeout=30).text
        return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE).group(1))
    status = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="utf-8")
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024
    assert 0.5 < value("process_resident_memory_bytes") / resident < 2
    before = value("process_open_fds")
    with ExitStack() as kept:
        # More than the database connections that may still be opening or closing.
        for _ in range(100):
            kept.enter_context(socket.create_connection(("127.0.0.1", daemon.port)))
        end = time.monotonic() + 30
        while value("process_open_fds") <= before + 80:
            assert time.monotonic() < end, "they are not counted"
    assert value("asnd_loops_with_database") == value("asnd_loops")
