"""What rules and dashboard ask Prometheus for, taken apart as far as a test needs it."""
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[4]
RULES = ROOT / "deploy" / "prometheus" / "waymark.rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "waymark.json"
OF_PROMETHEUS = {"job", "instance", "le", "alertname", "alertstate"}  # labels that no worker gives
SELECTOR = re.compile(r'\b((?:waymark|process)_[a-z_]+|up|ALERTS)\b(?:\{((?:[^}"]|"[^"]*")*)\})?')


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels():
    """Panels that show something, with those of folded rows."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield from panel.get("panels", ())
        if panel["type"] != "row":
            yield panel


def dashboard():
    """(where, expression) with every variable in place, as Grafana would send it."""
    board = json.loads(DASHBOARD.read_text())
    found = [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]
    found += [(note["name"], note["expr"]) for note in board["annotations"]["list"]]
    for where, expression in found:
        expression = expression.replace("$__rate_interval", "1m").replace("$job", "waymark").replace("$instance", ".*")
        assert "$" not in expression, expression
        yield where, expression


def expressions():
    return [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()] + list(dashboard())


def selectors(expression):
    """(metric, {label: (operator, value)}) of each; not those that rules record (job:...)."""
    for name, labels in SELECTOR.findall(re.sub(r"\w+:[\w:]+", "", expression)):
        yield name, {label: (operator, value)
                     for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', labels)}


def grouped(expression):
    """Labels that are added up by, matched on or brought along."""
    for names in re.findall(r"\b(?:by|on|group_left|group_right)\s*\(([^)]*)\)", expression):
        yield from (name.strip() for name in names.split(",") if name.strip())


def family(name):
    """Of a histogram's parts."""
    return re.sub(r"_(bucket|sum|count)$", "", name)
