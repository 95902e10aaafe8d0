"""Alerting rules for Prometheus: valid, each with a case where it fires and one where it must not, and with its runbook."""
import os
import re
import shutil
import subprocess

import pytest
import yaml
from conftest import ROOT

RULES = ROOT / "deploy" / "prometheus" / "waymark.rules.yaml"
CASES = ROOT / "tests" / "fixtures" / "alerts"
GUIDE = ROOT / "deploy" / "guide"
METRICS = GUIDE / "metrics.md"
ALERTS = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
          if "alert" in rule}
needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")


def promtool(*words):
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=100)


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

def exported():
    """The families of metrics.md, which tests/integration/test_metrics.py holds against a worker."""
    return set(re.findall(r"^\| `((?:waymark|process)_[a-z_]+)` \|", METRICS.read_text(), re.M))


def series(expression):
    """Names of metrics, without those that rules record (job:...)."""
    expression = re.sub(r'"[^"]*"|\w+:[\w:]+', "", expression)
    for name in re.findall(r"\b(?:waymark|process)_[a-z_]+", expression):
        yield re.sub(r"_(bucket|sum|count)$", "", name)


def test_rules_ask_for_metrics_that_there_are():
    named = {name for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
             for name in series(rule["expr"])}
    assert len(named) > 8 and named <= exported(), named - exported()
