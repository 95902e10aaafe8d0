"""waymark lint: findings on stderr, a summary on stdout, exit codes."""
import pathlib
import re
import subprocess

import pytest
from conftest import AUTOMATION, COMMAND, SAMPLE, waymark

LINE = re.compile(r"^[^:]+:\d+:\d+: (invalid|error|warning): .+ \[[A-Z_0-9]+\]$")


def test_a_clean_workspace(workspace):
    done = waymark("lint", workspace)
    assert (done.code, done.err) == (0, "")
    assert done.out == "1 automation, 1 role, 0 channels: nothing to complain about\n"


def test_the_sample_is_clean():
    done = waymark("lint", SAMPLE, "--strict")
    assert (done.code, done.err) == (0, "")


def test_every_finding_has_its_place(workspace):
    (workspace / "bad.yaml").write_text("role: Bad Name\nlabel: x\n---\nautomatio: x\n---\nrole: [\n")
    done = waymark("lint", workspace)
    assert done.code == 1
    found = done.err.splitlines()
    assert len(found) >= 3 and all(LINE.match(line) for line in found), done.err
    assert all(line.startswith(f"{workspace}/bad.yaml:") for line in found)
    assert "invalid" in done.out


def test_errors_are_exit_one_and_warnings_only_with_strict(workspace):
    (workspace / "join.yaml").write_text(AUTOMATION.replace("role: member", "role: nobody"))
    assert waymark("lint", workspace).code == 1
    (workspace / "join.yaml").write_text(AUTOMATION)
    (workspace / "roles.yaml").write_text("role: member\nlabel: Member\nstatus: archived\n")
    done = waymark("lint", workspace)
    assert done.code == 0 and "warning" in done.err and "1 warning" in done.out
    assert waymark("lint", workspace, "--strict").code == 1


@pytest.mark.parametrize("role, code, more", [
    ("", "ROLE_UNKNOWN", "did you mean 'member'"),
    ("role: membre\nkind: system\n", "ROLE_PROTECTED", "of a kind that is never automated"),
    ("role: membre\nmanaged: true\n", "ROLE_PROTECTED", "managed"),
    ("role: membre\nstatus: inactive\n", "ROLE_INACTIVE", "inactive"),
    ("role: membre\nstatus: archived\n", "ROLE_ARCHIVED", "archived"),
])
def test_a_baseline_that_nobody_can_be_given_is_an_error_where_it_stands(workspace, role, code, more):
    (workspace / "waymark.yaml").write_text("users: open\nbaseline: membre\n")
    (workspace / "more.yaml").write_text(role or "channel: c\n")
    done = waymark("lint", workspace)
    (line,) = [line for line in done.err.splitlines() if " warning: " not in line]
    assert done.code == 1 and line.startswith(f"{workspace}/waymark.yaml:2:11: error: role 'membre' is ")
    assert line.endswith(f"[{code}]") and more in line


def test_a_baseline_that_can_be_given_is_fine(workspace):
    (workspace / "waymark.yaml").write_text("baseline: member\n")
    assert waymark("lint", workspace, "--strict").code == 0
    (workspace / "waymark.yaml").write_text("baseline: Not a name\n")
    done = waymark("lint", workspace)
    assert done.code == 1 and "waymark.yaml:1:11: invalid: 'baseline' must be the name of a role" in done.err


def test_no_automation_has_the_name_of_the_baseline(workspace):
    (workspace / "base.yaml").write_text(AUTOMATION.replace("automation: join", "automation: baseline"))
    assert waymark("lint", workspace).code == 0
    (workspace / "waymark.yaml").write_text("baseline: member\n")
    done = waymark("lint", workspace)
    assert done.code == 1 and "/base.yaml:1:1: invalid: 'baseline' can't be the name" in done.err
    assert waymark("simulate", workspace, "-", stdin="").code == 1


def test_a_variable_that_is_not_set_is_invalid_with_its_place(workspace, tmp_path):
    (workspace / "waymark.yaml").write_text('users: open\nredis: { address: "${WAYMARK_NOWHERE}:6379" }\n')
    done = waymark("lint", workspace)
    assert done.code == 1
    assert f"{workspace}/waymark.yaml:2:19: invalid: environment variable 'WAYMARK_NOWHERE' is not set [ENV_MISSING]" in done.err
    assert waymark("lint", workspace, env={"WAYMARK_NOWHERE": "redis"}).code == 0
    (tmp_path / "none.jsonl").write_text("")
    done = waymark("simulate", workspace, tmp_path / "none.jsonl")
    assert done.code == 0 and "warning: environment variable" in done.err, "no setting that it needs is missing"


def test_json_gives_one_value_a_finding(workspace):
    (workspace / "join.yaml").write_text(AUTOMATION.replace("role: member", "role: nobody"))
    done = waymark("lint", workspace, "--json")
    assert done.code == 1
    assert done.json[0]["severity"] == "error" and done.json[0]["code"] == "ROLE_UNKNOWN"
    assert done.json[0]["file"] == f"{workspace}/join.yaml" and done.json[0]["line"] > 1


def test_a_folder_that_is_none(tmp_path):
    assert waymark("lint", tmp_path / "nowhere").code == 2
    (tmp_path / "file").write_text("")
    assert waymark("lint", tmp_path / "file").code == 2


@pytest.mark.parametrize("trigger", ["directory.user.updated", "directory.*", "role.x"])
def test_a_trigger_that_no_event_can_have_is_told_once_and_where_it_stands(workspace, trigger):
    (workspace / "bad.yaml").write_text(f"automation: bad\ntrigger: {trigger}\ntasks:\n"
                                        "  - {name: t, sequence: 1, type: notify, channel: mail, message: m}\n"
                                        "---\nchannel: mail\n")
    done = waymark("lint", workspace)
    assert done.code == 1
    (told,) = done.err.splitlines()
    assert told.startswith(f"{workspace / 'bad.yaml'}:2:10: invalid: ") and told.endswith("[TRIGGER_RESERVED]")


def check(workspace):
    """waymarkd --check: exit code and findings."""
    done = subprocess.run([pathlib.Path(COMMAND).with_name("waymarkd"), "--check", workspace], capture_output=True,
                          text=True, timeout=60)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_check_asks_librdkafka_what_it_takes(workspace):
    settings = workspace / "waymark.yaml"
    settings.write_text("kafka:\n  properties:\n    linger.ms: 7\n    security.protocol: sasl_plaintext\n"
                        "    sasl.mechanisms: SCRAM-SHA-256\n    sasl.username: u\n    sasl.password: secret\n")
    assert check(workspace) == (0, [])

    settings.write_text("kafka:\n  properties:\n    linger.ms: soon\n    sasl.mechanizms: PLAIN\n")
    code, (first, second) = check(workspace)
    assert code == 78
    assert first.startswith(f"{settings}:3:5: invalid: 'kafka.properties.linger.ms': ")
    assert second.startswith(f"{settings}:4:5: invalid: 'kafka.properties.sasl.mechanizms': ")

    settings.write_text("kafka:\n  properties:\n    security.protocol: ssl\n    ssl.ca.location: /nowhere/ca.pem\n")
    code, (told,) = check(workspace)
    assert code == 78 and told.startswith(f"{settings}:3:5: invalid: ") and "ssl.ca.location" in told
    assert waymark("lint", workspace).code == 0, "secrets are where the worker runs"
