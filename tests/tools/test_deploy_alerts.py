"""Alerting rules: valid, each with a case where it fires, one where it must not, and a runbook. The Grafana dashboard."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "lib" / "broker"))
from waymark_testlib import promql  # noqa: E402

RULES = promql.RULES
CASES = ROOT / "tests" / "fixtures" / "alerts"
GUIDE = ROOT / "deploy" / "guide"
METRICS = GUIDE / "metrics.md"
ALERTS = {rule["alert"]: rule for rule in promql.rules() if "alert" in rule}
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")


def promtool(*words):
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=400)


@needs_promtool
def test_prometheus_takes_the_rules():
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.name)
def test_alerts_fire_when_they_should(path):
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def cases():
    """(alert of the case, expected alerts at one moment)"""
    for path in CASES.glob("*.yaml"):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for test in case["promql_expr_test"]:
                told = [re.search(r'alertname="(\w+)"', sample["labels"]).group(1) for sample in test["exp_samples"]]
                yield case["name"].split()[0], told, test["expr"]


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_has_a_case_where_it_fires_and_one_where_it_does_not(name):
    own = [(told, asked) for alert, told, asked in cases() if alert == name]
    assert any(told == [name] for told, _ in own)
    assert any(told == [] and asked.startswith("ALERTS") for told, asked in own)


def test_cases_are_of_alerts_that_exist():
    assert {alert for alert, _, _ in cases()} == set(ALERTS)


@needs_promtool
def test_what_an_alert_says_has_no_hole(tmp_path):
    """Promtool tells what it got when it is told to expect something else: the texts with their values."""
    tests = []
    for path in CASES.glob("*.yaml"):
        for case in yaml.safe_load(path.read_text())["tests"]:
            for test in case.pop("promql_expr_test"):
                for sample in test["exp_samples"]:
                    name = re.search(r'alertname="(\w+)"', sample["labels"]).group(1)
                    tests.append({**case, "alert_rule_test": [{"alertname": name, "eval_time": test["eval_time"], "exp_alerts": []}]})
    (tmp_path / "texts.yaml").write_text(yaml.safe_dump({
        "rule_files": [os.path.relpath(RULES, tmp_path)], "evaluation_interval": "1m", "tests": tests}))
    said = promtool("test", "rules", tmp_path / "texts.yaml")
    said = said.stdout + said.stderr
    for name in ALERTS:
        texts = re.findall(rf'alertname="{name}".*?Annotations:\{{(.*?)\}}', said, re.S)
        assert texts, name
        for text in texts:
            assert all(f'{member}="' in text for member in ("summary", "description", "runbook_url"))
            assert not re.search(r'="\s|""|<no value>|error|\(\)|\{\{|  ', text), text


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_has_its_runbook(name):
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"file:///usr/share/doc/waymark/guide/alerts.md#{name.lower()}"
    section = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", (GUIDE / "alerts.md").read_text(), re.M | re.S)
    assert section, "no section in alerts.md"
    for part in ("Means.", "Ask first.", "Do.", "Over"):
        assert f"**{part}**" in section.group(1) or (part == "Do." and "| do |" in section.group(1)), part
    assert re.search(r"`(waymark |waymarkd |curl )", section.group(1)), "names no command"


def test_the_guide_tells_of_no_alert_that_is_not_there():
    assert re.findall(r"^## (\w+)$", (GUIDE / "alerts.md").read_text(), re.M) == list(ALERTS)


# --- names ---

def test_metrics_that_are_asked_for_are_in_the_guide():
    """And those are what a worker exports: tests/integration/test_alerts.py and test_metrics.py."""
    known = set(re.findall(r"^\| `((?:waymark|process)_[a-z_]+)` \|", METRICS.read_text(), re.M)) | {"up", "ALERTS"}
    named = {promql.family(name) for _, expression in promql.expressions() for name, _ in promql.selectors(expression)}
    assert len(named) > 30 and named <= known, named - known


# --- the dashboard ---

@needs_promtool
def test_prometheus_takes_every_expression_of_the_dashboard(tmp_path):
    rows = [{"record": f"panel:{number}", "expr": expression} for number, (_, expression) in enumerate(promql.dashboard())]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rows}]}))
    done = promtool("check", "rules", tmp_path / "panels.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rows)} rules found" in done.stdout and len(rows) > 50


def test_the_dashboard_can_be_imported():
    board = json.loads(promql.DASHBOARD.read_text())
    assert board["uid"] and board["title"] and board["schemaVersion"] >= 36 and "id" not in board
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource" and variables["datasource"]["query"] == "prometheus"
    source = {"type": "prometheus", "uid": "${datasource}"}
    text = json.dumps(board)
    assert text.count('"uid": "${datasource}"') == text.count('"type": "prometheus"'), "one source, and that one is chosen"
    ids = re.findall(r'"id": (\d+)', text)
    assert len(ids) == len(set(ids))
    for panel in promql.panels():
        assert panel["datasource"] == source and all(target["datasource"] == source for target in panel["targets"])
        assert panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0


def test_rows_come_in_their_order_and_no_panel_lies_on_another():
    board = json.loads(promql.DASHBOARD.read_text())
    assert [panel["title"] for panel in board["panels"] if panel["type"] == "row"] == [
        "Is it well?", "Throughput and latency", "Failures", "Roles", "Redis and Kafka"]
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
