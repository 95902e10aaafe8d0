"""The unit of systemd: systemd itself reads it, and says how much the worker could do if it were taken over."""
import json
import re
import shutil
import subprocess

import pytest
from conftest import ROOT

UNIT = ROOT / "deploy" / "systemd" / "waymarkd.service"
# What is left on purpose: Kafka and Redis are on the network, Redis may be a Unix socket, /etc/waymark is on the host.
LEFT = {"PrivateNetwork", "IPAddressDeny", "RestrictAddressFamilies_AF_INET_INET6", "RestrictAddressFamilies_AF_UNIX",
        "RootDirectoryOrRootImage", "DeviceAllow"}
EXPOSURE = 15  # tenths; "OK" ends at 40

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")


def analyze(*words):
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60)


def test_the_exposure_is_low(tmp_path):
    assert analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", UNIT).returncode == 0
    weaker = tmp_path / "waymarkd.service"
    weaker.write_text(UNIT.read_text().replace("CapabilityBoundingSet=\n", "").replace("DynamicUser=yes\n", "")
                      .replace("User=waymark\n", ""))
    assert analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", weaker).returncode != 0


def test_what_is_exposed_is_what_a_worker_needs():
    rows = json.loads(analyze("security", "--offline=yes", "--json=short", UNIT).stdout)
    assert len(rows) > 50
    assert {row["json_field"] for row in rows if row["set"] is False and row["exposure"]} == LEFT


def test_systemd_takes_every_line(tmp_path):
    # On this machine the program is not installed; everything else must be right.
    unit = tmp_path / "waymarkd.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.M))
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "waymarkd.service" in line]) == (0, [])
    unit.write_text(unit.read_text().replace("ProtectHome=yes", "ProtectHome=perhaps"))
    assert "waymarkd.service" in analyze("verify", "--man=no", unit).stderr
