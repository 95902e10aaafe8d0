"""waymark lint beyond syntax: examples that are true, silences, samples, what is live, output for machines, and the page
of the guide about all of it."""
import json
import re
from urllib.parse import unquote

import pytest
from conftest import AUTOMATION, ROOT, SAMPLE, cpu_seconds, event, lines, waymark

GUIDE = ROOT / "deploy" / "guide" / "lint.md"
EVERYBODY = "---\nrole: everybody\nlabel: Everybody\nassigned-when: [{ all: true }]\n"


def task(action, role="member", sequence=10):
    return f"  - {{ name: Do, sequence: {sequence}, type: change-role, role: {role}, action: {action} }}\n"


def automation(name, when="", tasks=None, trigger="journey.milestone.achieved", more=""):
    return f'automation: "{name}"\ntrigger: {trigger}\n{when}tasks:\n{tasks or task("add")}{more}'


def codes(done):
    return re.findall(r"\[([A-Z_]+)\]$", done.err, re.M)


def write(folder, *documents, settings=""):
    folder.mkdir(exist_ok=True)
    (folder / "waymark.yaml").write_text(settings)
    (folder / "all.yaml").write_text("---\n".join(documents))
    return folder


# --- the page of the guide: each example fires with its code alone, and its mended form does not ---

def sections():
    for section in re.split(r"^### ", GUIDE.read_text(), flags=re.M)[1:]:
        code = section.split("\n", 1)[0]
        yield code, re.findall(r"^```yaml\n(.*?)^```$", section, re.M | re.S), \
            re.findall(r"^```json\n(.*?)^```$", section, re.M | re.S)


SECTIONS = {code: (blocks, events) for code, blocks, events in sections()}
LIVE = ("ROLE_RENAMED", "ROLE_GONE", "AUTOMATION_RENAMED", "TASK_MOVED")


def fill(folder, text, code):
    """What an example names and does not show."""
    rest = ["role: " + name for name in ("member", "partner") if f"role: {name}\n" not in text] + ["channel: mail\n"]
    if code != "LOCK_OUT":
        rest.append("role: everybody\nassigned-when: [{ all: true }]\n")
    folder.mkdir()
    (folder / "waymark.yaml").write_text("trust: { user-written: [data.comment] }\n")
    (folder / "example.yaml").write_text(text)
    (folder / "rest.yaml").write_text("\n---\n".join(rest))
    return folder


@pytest.mark.parametrize("code", [code for code in SECTIONS if SECTIONS[code][0]])
def test_examples_of_the_guide(tmp_path, code):
    blocks, events = SECTIONS[code]
    arguments = []
    if code in LIVE:
        live, *blocks = blocks
        arguments = ["--against", fill(tmp_path / "live", live, code)]
    if events:
        (tmp_path / "events.jsonl").write_text(events[0])
        arguments = ["--events", tmp_path / "events.jsonl"]
    wrong, right = blocks
    found = waymark("lint", fill(tmp_path / "wrong", wrong, code), *arguments)
    assert set(codes(found)) == {code}, found.err
    fine = waymark("lint", fill(tmp_path / "right", right, code), *arguments, "--strict")
    assert (fine.code, fine.err) == (0, ""), fine.err


def test_the_guide_has_a_section_for_every_warning():
    schema = json.loads((ROOT / "schemas" / "automation.schema.json").read_text())
    known = set(schema["properties"]["silence"]["propertyNames"]["enum"])
    assert set(SECTIONS) == known | {"SILENCE_UNUSED", "NOTHING_TO_DO", "ROLE_RENAMED", "ROLE_GONE"}
    for kind in ("role", "channel"):
        other = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text())
        assert set(other["properties"]["silence"]["propertyNames"]["enum"]) == known


@pytest.mark.parametrize("code", [code for code in SECTIONS if code not in ("SILENCE_UNUSED", "NOTHING_TO_DO",
                                                                            "ROLE_RENAMED", "ROLE_GONE")])
def test_every_warning_can_be_silenced(tmp_path, code):
    (tmp_path / "waymark.yaml").write_text("")
    (tmp_path / "a.yaml").write_text(f"role: r\nsilence: {{ {code}: there is none }}\n")
    done = waymark("lint", tmp_path)
    assert done.code == 0 and set(codes(done)) <= {"SILENCE_UNUSED"}


def test_the_silence_of_the_guide_works(tmp_path):
    first = re.search(r"^```yaml\n(.*?)^```$", GUIDE.read_text(), re.M | re.S).group(1)
    done = waymark("lint", fill(tmp_path / "ws", first, "LOCK_OUT"), "--strict")
    assert (done.code, done.err) == (0, "") and "1 silenced" in done.out


# --- examples of conflicts are true ---

WHENS = [
    ("when: { data.score: { above: 10, at-most: 20 } }\n", "when: { data.score: { is-not: 11, below: 12 } }\n"),
    ("when: { data.a.b: { starts-with: x }, data.a.c: { ends-with: '\"' } }\n", "when: { data.a.b: { contains: y } }\n"),
    ("when: { data.at: { after: \"2026-01-01T00:00:00Z\" } }\n", "when: { data.at: { older-than: 1d } }\n"),
    ("when: { user.roles: { has: partner }, user.type: customer }\n",
     "when: { user.roles: { has-none: [guest] }, user.attributes.x: { in: [1, 2] } }\n"),
    ("when: { any: [{ data.x: 1 }, { data.x: 2 }] }\n", "when: { not: { data.x: 1 } }\n"),
    ("when: { data.tags: { has-all: [a, b] } }\n", "when: { data.tags: { has-none: [c], has-any: [c, d] } }\n"),
    ("when: { event.time: { before: \"2025-01-01T00:00:00Z\" }, data.x: { present: false } }\n",
     "when: { event.source: { glob: \"/a?c/*\" }, event.mood: good }\n"),
]


def parts_of(text):
    """The event that is shown, and the roles and the profile that its user is to have."""
    example, end = json.JSONDecoder().raw_decode(text)
    found = [example, [], {}]
    for index, words in ((1, " for a user with the roles "), (2, " and the profile ")):
        if text[end:].startswith(words):
            found[index], size = json.JSONDecoder().raw_decode(text[end + len(words):])
            end += len(words) + size
    return found


@pytest.mark.parametrize("first, second", WHENS)
def test_the_event_that_is_shown_runs_both(tmp_path, first, second):
    write(tmp_path / "ws", automation("gives", first), automation("takes", second, task("remove")), "role: member\n",
          "role: partner\n", "role: guest" + EVERYBODY.replace("---\n", "\n---\n", 1))
    done = waymark("lint", tmp_path / "ws")
    assert codes(done) == ["CONFLICT"], done.err
    example, roles, profile = parts_of(done.err.split("such as ", 1)[1])
    past = {"subject": example["subject"], "time": "2020-01-01T00:00:00Z"}
    before = [event(1, type="directory.user.updated", data={"status": "active", **profile}, **past)]
    before += [event(number, type="role.assignment.requested", data={"role": role, "action": "add"}, **past)
               for number, role in enumerate(roles, 2)]
    done = waymark("simulate", tmp_path / "ws", "-", "--json", stdin=lines(*before, example))
    ran = [line["data"]["automation"] for line in done.json if "automation" in line.get("data", {})]
    assert ran == ["gives", "takes"], (example, done.out)


# --- silencing ---

def test_silenced_findings_are_counted_and_come_back(tmp_path):
    folder = write(tmp_path / "ws", automation("leave", "", task("remove"), more="silence: { LOCK_OUT: they leave }\n"),
                   "role: member\n")
    done = waymark("lint", folder, "--strict")
    assert (done.code, done.err) == (0, "")
    assert done.out == "1 automation, 1 role, 0 channels: nothing to complain about, 1 silenced\n"
    shown = waymark("lint", folder, "--strict", "--no-silence")
    assert shown.code == 1 and codes(shown) == ["LOCK_OUT"] and shown.out.endswith(" 1 warning\n")
    assert waymark("lint", folder, "--json").out == ""
    assert waymark("lint", folder, "--json", "--no-silence").json[0]["code"] == "LOCK_OUT"


def test_a_silence_that_can_not_be_is_invalid(tmp_path):
    folder = write(tmp_path / "ws", "role: member\nsilence: { LOKC_OUT: x, ROLE_PROTECTED: y, CONFLICT: }\n")
    done = waymark("lint", folder)
    assert done.code == 1
    assert done.err.count(" invalid: ") == 3 and "did you mean 'LOCK_OUT'" in done.err


# --- settings ---

def test_a_baseline_keeps_everybody_in(tmp_path):
    documents = automation("leave", "", task("remove")), "role: member\n---\nrole: visitor\n"
    assert codes(waymark("lint", write(tmp_path / "ws", *documents))) == ["LOCK_OUT"]
    assert codes(waymark("lint", write(tmp_path / "ws", *documents, settings="baseline: visitor\n"))) == []


def test_fields_that_users_write_are_named_in_the_settings(tmp_path):
    documents = automation("ask", "when: { data.note: { contains: please } }\n"), "role: member\n"
    assert codes(waymark("lint", write(tmp_path / "ws", *documents))) == []
    trust = "trust: { user-written: [user.attributes.nick, data.note] }\n"
    assert codes(waymark("lint", write(tmp_path / "ws", *documents, settings=trust))) == ["SELF_WRITTEN"]
    done = waymark("lint", write(tmp_path / "ws", *documents, settings="trust: { user-written: [note, 7, []] }\n"))
    assert done.code == 1 and "'data.note'" in done.err and done.err.count("invalid") == 3


# --- a sample of events ---

def sample(tmp_path, *events):
    path = tmp_path / "events.jsonl"
    path.write_text(lines(*events))
    return path


def test_fields_that_no_event_has(tmp_path):
    tell = ('  - { name: Tell, sequence: 20, type: notify, channel: mail, title: "{{ data.mileston }}", '
            'message: "{{ user.name }} {{ event.tpye }}" }\n')
    folder = write(tmp_path / "ws", automation("a", "when: { data.details.level: 3, data.score: 1 }\n", task("add") + tell),
                   "role: member\n---\nchannel: mail\n")
    events = event(1, data={"milestone": "x", "score": 2}), event(2, type="other", data={"details": {"level": 3}}), \
        event(3, data={"level": 3, "list": [{"mileston": 1}]})
    done = waymark("lint", folder, "--events", sample(tmp_path, *events))
    assert codes(done) == ["FIELD_UNSEEN"] * 3, done.err
    assert "'data.details.level', did you mean 'data.level'" in done.err
    assert "did you mean 'data.milestone'" in done.err and "did you mean 'event.type'" in done.err
    assert codes(waymark("lint", folder)) == []


def test_automations_that_no_event_runs(tmp_path):
    folder = write(tmp_path / "ws",
                   automation("never", "when: { data.milestone: y }\n"),
                   automation("other", trigger="journey.abandoned"),
                   automation("off", more="enabled: false\n", trigger="journey.completed"),
                   automation("by-user", "when: { data.milestone: x, user.roles: { has: member } }\n"),
                   automation("quiet", trigger="journey.abandoned", more="silence: { EVENT_UNSEEN: rare }\n"),
                   automation("loud", more="silence: { EVENT_UNSEEN: not rare }\n"), "role: member\n")
    done = waymark("lint", folder, "--events", sample(tmp_path, event(1, data={"milestone": "x"})))
    assert codes(done) == ["EVENT_UNSEEN", "EVENT_UNSEEN", "SILENCE_UNUSED"], done.err
    assert "'never'" in done.err and "'other'" in done.err
    assert codes(waymark("lint", folder)) == [], "silences for a sample are no unused ones without one"


def test_the_sample_workspace_fits_its_events():
    done = waymark("lint", SAMPLE, "--strict", "--events", SAMPLE / "events.jsonl")
    assert done.code == 0 and codes(done) == []
    assert "1 of 22 events would be rejected" in done.err


def test_a_sample_that_can_not_be_read(workspace):
    assert waymark("lint", workspace, "--events", workspace / "nowhere").code == 2
    done = waymark("lint", workspace, "--events", "-", stdin="[" * 100000 + "\n\x00\n{}\n")
    assert done.code == 0 and "would be rejected" in done.err


# --- what is live ---

def test_what_may_change_and_what_may_not(tmp_path):
    live = write(tmp_path / "live", automation("one", "", task("add") + task("remove", "old", 20)),
                 automation("two", "", task("remove", "old", 5)),
                 "role: member\nlabel: Member\n---\nrole: old\nlabel: Old\ndescription: The old one.\n"
                 "---\nrole: gone\nlabel: Gone\n", EVERYBODY[4:])
    new = write(tmp_path / "new", automation("one", "when: { data.x: 1 }\n", task("add") + task("remove", "older", 30)),
                automation("second", "when: { data.x: 2 }\n", task("remove", "old", 5)).replace("old,", "older,"),
                "role: member\nlabel: Members\n---\nrole: older\nlabel: Older\ndescription: The old one.\n", EVERYBODY[4:])
    assert waymark("lint", new).code == 0
    done = waymark("lint", new, "--against", live)
    assert done.code == 1
    assert sorted(codes(done)) == ["ROLE_GONE", "ROLE_RENAMED"], done.err
    assert "with the same description" in done.err and f"{live}/all.yaml" in done.err
    assert waymark("lint", live, "--against", live).out == waymark("lint", live).out


def test_an_invalid_live_workspace(tmp_path, workspace):
    live = write(tmp_path / "live", "role: X\n")
    done = waymark("lint", workspace, "--against", live)
    assert done.code == 1 and "NAME_INVALID" in done.err and "nothing can be compared" in done.err
    assert waymark("lint", workspace, "--against", tmp_path / "nowhere").code == 2


# --- for machines ---

@pytest.fixture
def odd(tmp_path):
    """Findings of all severities in a file with an odd name, one of them silenced."""
    folder = tmp_path / "my ws"
    folder.mkdir()
    (folder / "waymark.yaml").write_text("")
    (folder / "a,b:c%d.yaml").write_text(
        automation("leave", "", task("remove"), more='silence: { LOCK_OUT: "they \\"leave\\", 100%" }\n') + "---\n"
        + automation("take", "when: { user.groups: ä% }\n", task("add", "nobody")) + "---\nrole: member\n")
    return folder


def test_sarif_has_its_shape(odd):
    done = waymark("lint", odd, "--format", "sarif")
    assert done.code == 1
    log = json.loads(done.out)
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    assert set(run) <= {"tool", "results", "columnKind"} and run["columnKind"] in ("unicodeCodePoints", "utf16CodeUnits")
    driver = run["tool"]["driver"]
    assert driver["name"] == "waymark" and driver["version"]
    assert [rule["id"] for rule in driver["rules"]] == sorted({r["ruleId"] for r in run["results"]},
                                                              key=[rule["id"] for rule in driver["rules"]].index)
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    assert len(run["results"]) == 3
    for result in run["results"]:
        assert set(result) <= {"ruleId", "ruleIndex", "level", "message", "locations", "suppressions"}
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error") and result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9._~/%:-]+", place["artifactLocation"]["uri"])
        assert unquote(place["artifactLocation"]["uri"]) == f"file://{odd}/a,b:c%d.yaml"
        assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
    (silenced,) = [result for result in run["results"] if "suppressions" in result]
    assert silenced["ruleId"] == "LOCK_OUT"
    assert silenced["suppressions"] == [{"kind": "inSource", "justification": 'they "leave", 100%'}]


def test_sarif_of_nothing(workspace):
    log = json.loads(waymark("lint", workspace, "--format=sarif").out)
    assert log["runs"][0]["results"] == [] and log["runs"][0]["tool"]["driver"]["rules"] == []


def test_github_commands_are_escaped(odd):
    done = waymark("lint", odd.name, "--format", "github", cwd=odd.parent)
    assert done.code == 1
    found = [re.fullmatch(r"::(warning|error) file=([^,:]+),line=(\d+),col=(\d+),title=([A-Z_]+)::(.+)", line)
             for line in done.out.splitlines()]
    assert len(found) == 2 and all(found), done.out
    assert {match.group(2) for match in found} == {"my ws/a%2Cb%3Ac%25d.yaml"}
    assert [match.group(1) for match in found] == ["warning", "error"]


def test_formats_are_told_apart(workspace):
    assert waymark("lint", workspace, "--format", "text").out == waymark("lint", workspace).out
    assert waymark("lint", workspace, "--format", "json", "--json").out == waymark("lint", workspace, "--json").out
    done = waymark("lint", workspace, "--format", "xml")
    assert done.code == 2 and "sarif" in done.err
    assert waymark("lint", workspace, "--format", "sarif", "--json").code == 2


# --- what is found line by line is still found ---

LINE_BY_LINE = [
    ("when: { data.milestone: [a, b] }\n", "OPERAND_INVALID", "did you mean 'in: [...]'"),
    ("when: { user.roles: { contains: member } }\n", "LIST_CONTAINS", "did you mean 'has'"),
    ("when: { data.x: null }\n", "OPERAND_INVALID", "did you mean 'present: false'"),
    ("when: { data.x: * }\n", "YAML", ""),
    ("when: { data.x: 01234 }\n", "NUMBER_LEADING_ZERO", "quote it"),
    ("when:\n  any: [{ data.x: 1 }]\n  any: [{ data.y: 1 }]\n", "KEY_DUPLICATE", "first in line"),
    ("description: Give #1 a role\n", "COMMENT_IN_TEXT", "quote the text"),
]


@pytest.mark.parametrize("when, code, text", LINE_BY_LINE)
def test_slips_of_the_pen(tmp_path, when, code, text):
    done = waymark("lint", write(tmp_path / "ws", automation("a", when), "role: member\n"))
    assert codes(done) and codes(done)[0].startswith(code) and text in done.err, done.err


@pytest.mark.parametrize("role, code, severity", [
    ("role: other\n", "ROLE_UNKNOWN", "error"), ("role: member\nkind: system\n", "ROLE_PROTECTED", "error"),
    ("role: member\nmanaged: true\nassigned-when: [{ group: g }]\n", "ROLE_PROTECTED", "error"),
    ("role: member\nstatus: inactive\n", "ROLE_INACTIVE", "warning"),
    ("role: member\nstatus: archived\n", "ROLE_ARCHIVED", "warning")])
def test_roles_that_can_not_be_given(tmp_path, role, code, severity):
    done = waymark("lint", write(tmp_path / "ws", AUTOMATION, role))
    assert codes(done) == [code] and f" {severity}: " in done.err


# --- large and hostile ---

def many(number, role, when):
    return "---\n".join(automation(f"a{i}", when(i), task("add" if i % 2 else "remove", role(i))) for i in range(number))


@pytest.mark.parametrize("roles", [1, 100, 10000])
def test_ten_thousand_automations_take_seconds(tmp_path, roles):
    write(tmp_path / "ws", many(10000, lambda i: f"r{i % roles}", lambda i: (
        f"when:\n  data.milestone: m{i % 500}\n  data.score: {{ at-least: {i % 90} }}\n"
        f"  any: [{{ user.roles: {{ has: r{i * 7 % roles} }} }}, {{ data.x: {i % 3} }}]\n")),
          "---\n".join(f"role: r{i}\n" for i in range(roles)))
    begun = cpu_seconds()
    done = waymark("lint", tmp_path / "ws")
    assert done.code == 0 and cpu_seconds() - begun < 20


def test_conditions_that_branch_without_end_come_to_an_end(tmp_path):
    branches = ", ".join("{ any: [" + ", ".join(
        f"{{ data.a{k}: {{ glob: '*{j}*x' }}, data.b{j}: {{ is-not: {k} }} }}" for j in range(8)) + "] }" for k in range(12))
    write(tmp_path / "ws", many(300, lambda i: f"r{i % 2}", lambda i: (
        f"when:\n  all: [{branches}]\n  data.a0: {{ glob: 'q*', ends-with: x, contains: p }}\n"
        "  user.roles: { has-any: [r0, r1] }\n")), "role: r0\n---\nrole: r1\n")
    begun = cpu_seconds()
    assert waymark("lint", tmp_path / "ws").code == 0
    assert cpu_seconds() - begun < 30
