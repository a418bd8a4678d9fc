"""The alert rules: Prometheus takes them, they ask for numbers that the service gives, and each fires when it should."""

import re
import shutil
import subprocess
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from service import prometheus_metrics
from service.guard import ROUTES
from tests.deploy.manifests import DEPLOY
from tests.imports import ROOT

FILE = DEPLOY / "alerts.yaml"
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]
PROMETHEUS_OWN = {"up"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])


def given() -> dict[str, set[str]]:
    """Return the labels of each series that the service shows."""
    metrics = [value for value in vars(prometheus_metrics).values() if isinstance(value, MetricWrapperBase)]
    return {
        metric._name + suffix: {*metric._labelnames, "instance", "job", *(["le"] if suffix == "_bucket" else [])}
        for metric in metrics
        for suffix in SUFFIXES[metric._type]
    }


def asked(node: Any) -> list[tuple[str, set[str]]]:
    """Return the name and the labels of each series that an expression asks for."""
    if isinstance(node, promql_parser.VectorSelector):
        return [(node.name, {matcher.name for matcher in node.matchers.matchers})]
    parts = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector", "args", "param")]
    flat = [one for part in parts for one in (part if isinstance(part, list) else [part]) if one is not None]
    return [found for one in flat for found in asked(one)]


@every_rule
def test_a_rule_asks_for_numbers_that_the_service_gives(rule: dict[str, Any]) -> None:
    found = asked(promql_parser.parse(rule["expr"]))
    assert found
    for name, labels in found:
        assert name in {*given(), *PROMETHEUS_OWN}
        assert labels <= given().get(name, {"job"}), name


@every_rule
def test_a_rule_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule["annotations"]) == {"summary", "action"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    for page in re.findall(r"docs/\w+\.md", rule["annotations"]["action"]):
        assert (ROOT / page).exists()


def test_routes_that_rules_name_are_counted() -> None:
    named = re.findall(r'route=(~?)"([^"]+)"', FILE.read_text())
    assert named
    for loose, route in named:
        assert any(re.fullmatch(route, known) if loose else route == known for known in ROUTES), route


def test_every_rule_is_played() -> None:
    played = re.findall(r"alertname: (\w+)\n\s+exp_alerts", (ROOT / "tests/deploy/alerts_fire.yaml").read_text())
    assert set(played) == {rule["alert"] for rule in RULES}


@pytest.mark.slow
@pytest.mark.parametrize("words", [("check", "rules", FILE), ("test", "rules", ROOT / "tests/deploy/alerts_fire.yaml")])
def test_prometheus_itself_agrees(words: tuple[object, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool: apt-get install prometheus")
    done = subprocess.run([promtool, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
