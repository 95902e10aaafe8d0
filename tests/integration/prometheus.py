"""A real Prometheus with the alert rules of deploy/, whose minutes are seconds here: what would take an hour takes one
minute, and the expressions stay what they are."""
import json
import pathlib
import re
import shutil
import urllib.request

import yaml

from waymark_testlib.process import free_ports, spawn, stop, tail, wait_until

RULES = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "waymark.rules.yaml"
SCALE = {"s": ("s", 1), "m": ("s", 1), "h": ("m", 1), "d": ("m", 24)}


def is_there():
    return shutil.which("prometheus") is not None


def shorter(text):
    """Durations of ranges, offsets and 'for', a sixtieth of what they were."""
    def scale(found):
        unit, factor = SCALE[found.group(2)]
        return f"{int(found.group(1)) * factor}{unit}"
    return re.sub(r"\b(\d+)([smhd])\b", scale, text)


def shorter_rules():
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = shorter(rule["expr"])
            if "for" in rule:
                rule["for"] = shorter(rule["for"])
    return rules


class Prometheus:
    def __init__(self, folder, targets):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        (self.folder / "rules.yaml").write_text(yaml.safe_dump(shorter_rules()))
        (self.folder / "prometheus.yaml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "waymark", "static_configs": [{"targets": targets}]}]}))
        self.port, = free_ports(1)
        self.process = None

    def start(self):
        self.process = spawn(["prometheus", f"--config.file={self.folder}/prometheus.yaml",
                              f"--storage.tsdb.path={self.folder}/data", "--log.level=warn",
                              f"--web.listen-address=127.0.0.1:{self.port}"], self.folder / "log")
        try:
            wait_until(self.answers, what="Prometheus to scrape the worker", alive=[self.process])
        except AssertionError:
            print(tail(self.folder / "log"))
            raise
        return self

    def stop(self):
        stop(self.process)

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=20) as answer:
            return json.load(answer)["data"]

    def answers(self):
        try:
            return any(target["health"] == "up" for target in self.ask("targets?state=active")["activeTargets"])
        except OSError:
            return False

    def firing(self, name):
        """The labels of an alert of this name that fires."""
        return [alert["labels"] for alert in self.ask("alerts")["alerts"]
                if alert["labels"]["alertname"] == name and alert["state"] == "firing"]
