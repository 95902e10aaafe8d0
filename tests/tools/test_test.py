"""waymark test: the tests of the rules, through the outside."""
import json
import random
import re
import shutil
import xml.etree.ElementTree

import jsonschema
import pytest
import yaml
from conftest import AUTOMATION, ROOT, SAMPLE, cpu_seconds, event, lines, waymark

GUIDE = ROOT / "deploy" / "guide" / "testing.md"
SCHEMA = json.loads((ROOT / "schemas" / "test.schema.json").read_text())

GOOD = """\
test: a milestone makes a member
when: { journey.milestone.achieved: { milestone: joined } }
then: { member: gained }
"""
BAD = """\
test: another milestone makes a member
when: { journey.milestone.achieved: { milestone: left } }
then: { member: held }
"""


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema as far as it matters here: no dates, 'yes' and 'on' are text."""


CoreLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows
            if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}
CoreLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"),
                                 list("tTfF"))


def documents(text):
    return [document for document in yaml.load_all(text, CoreLoader) if document and "test" in document]


def with_text_keys(value):
    """As JSON has it: sequences are numbers in YAML, and keys in JSON are text."""
    if isinstance(value, dict):
        return {str(key): with_text_keys(inner) for key, inner in value.items()}
    return [with_text_keys(inner) for inner in value] if isinstance(value, list) else value


def add(workspace, text, name="tests.yaml"):
    (workspace / name).write_text(text)
    return workspace


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "sample"
    shutil.copytree(SAMPLE, folder)
    return folder


# --- the runner ---

def test_the_sample_passes_and_is_covered():
    done = waymark("test", SAMPLE, "--strict")
    assert (done.code, done.err) == (0, "")
    assert "✗" not in done.out and done.out.count("✓") >= 20
    (said,) = re.findall(r"^coverage: (.*)$", done.out, re.M)
    for seen, total in re.findall(r"(\d+) of (\d+)", said):
        assert seen == total and int(total) > 0


def test_a_failure_says_what_was_expected_what_came_and_why(workspace):
    done = waymark("test", add(workspace, GOOD + "---\n" + BAD))
    assert done.code == 1
    assert done.out == f"""\
{workspace}/tests.yaml
  ✓ a milestone makes a member
  ✗ another milestone makes a member
      {workspace}/tests.yaml:7:9
        expected  role member held
        but       not held, before and after
        because   join, event journey.milestone.achieved: data.milestone is "joined": no, found "left"

2 tests: 1 passed, 1 failed
coverage: 1 of 1 automations, 1 of 1 conditions both ways, 1 of 1 tasks
"""


WRONG = [
    ("member: not held", "role member not held", "gained"),
    ("member: lost", "role member lost", "gained"),
    ("roles: []", "no other role than those of the list", "role member held"),
    ("automations: { join: does not run }", "automation join does not run", "runs"),
    ("automations: { join: { 10: unchanged } }", "automation join, task 10 unchanged", "changed"),
    ("automations: { join: { 10: changed STILL_DERIVED } }", "automation join, task 10 changed STILL_DERIVED", "changed"),
    ("automations: []", "no other automation than those of the list runs", "automation join runs"),
    ("request: changed", "the request changed", "does not run"),
    ("notifications: 1", "1 notification", "0"),
    ("notifications: [{ title: x }]", "notification 1: title 'x'", "there is none"),
    ("nothing: true", "nothing happens", "automation join runs; role member gained"),
]


@pytest.mark.parametrize("then, expected, actual", WRONG, ids=[row[0] for row in WRONG])
def test_each_expectation_can_fail(workspace, then, expected, actual):
    text = GOOD.replace("{ member: gained }", f"{{ {then} }}")
    *_, said, summary = waymark("test", add(workspace, text), "--json").json
    assert (summary["passed"], summary["failed"]) == (0, 1)
    assert [(one["expected"], one["actual"]) for one in said["differences"]] == [(expected, actual)]


def test_the_same_expectations_hold_where_they_are_right(workspace):
    then = "{ member: gained, roles: [member], automations: [join], notifications: none }"
    assert waymark("test", add(workspace, GOOD.replace("{ member: gained }", then))).code == 0


def test_reasons(workspace):
    """Off, waiting for other events, run before, kept from being in force."""
    (workspace / "off.yaml").write_text(AUTOMATION.replace("join", "off").replace("when:", "enabled: false\nwhen:", 1))
    (workspace / "once.yaml").write_text(AUTOMATION.replace("automation: join", "automation: once\nrepeat: once-per-user"))
    text = """\
test: off
when: [{ journey.started: {} }, { journey.milestone.achieved: { milestone: joined } }]
then: { automations: { off: runs } }
---
test: waits
when: { journey.started: {} }
then: { automations: { join: runs } }
---
test: once
when: { journey.milestone.achieved: { milestone: joined } }
then: { automations: { once: runs } }
later:
  when: { journey.milestone.achieved: { milestone: joined } }
  then: { automations: { once: runs } }
---
test: suspended
given: { user: { status: suspended }, roles: [member] }
then: { member: held }
"""
    *tests, _ = waymark("test", add(workspace, text), "--json").json
    because = {test["test"]: " ".join(test["differences"][0]["because"]) for test in tests}
    assert "it is switched off" in because["off"]
    assert "it waits for journey.milestone.achieved" in because["waits"]
    assert "it has run already" in because["once"]
    assert "not in force" in because["suspended"]


def test_time_runs_through_the_steps(workspace):
    (workspace / "join.yaml").write_text(AUTOMATION + "    expires-after: 30d\n")
    text = """\
test: a role ends
given: { user: { name: Ann } }
at: 2026-03-01
when: { journey.milestone.achieved: { milestone: joined } }
then: { member: gained }
later:
  - at: 2026-03-30T23:59:59Z
    then: { member: held }
  - after: 1s
    then: { member: lost }
  - when: { journey.milestone.achieved: { milestone: joined } }
    then: { member: gained }
"""
    done = waymark("test", add(workspace, text))
    assert done.code == 0, done.out
    assert waymark("test", add(workspace, text.replace("after: 1s", "after: 2s"))).code == 0
    assert waymark("test", add(workspace, text.replace("23:59:59Z", "23:59:58Z"))).code == 1


def test_within_goes_by_the_clock_of_the_test(workspace):
    (workspace / "join.yaml").write_text(AUTOMATION.replace("milestone: joined", "since: { within: 30d }"))
    text = """\
test: lately
at: 2026-03-31
when: { journey.milestone.achieved: { since: "2026-03-01T00:00:00Z" } }
then: { member: gained }
---
test: long ago
at: 2026-04-01
when: { journey.milestone.achieved: { since: "2026-03-01T00:00:00Z" } }
then: { nothing: true }
"""
    done = waymark("test", add(workspace, text))
    assert done.code == 0, done.out


def test_what_is_off_is_on_in_the_tests_that_say_so_alone(workspace):
    (workspace / "join.yaml").write_text(AUTOMATION.replace("when:", "enabled: false\nwhen:", 1))
    on = GOOD.replace("when:", "given: { switched-on: [join] }\nwhen:")
    off = GOOD.replace("{ member: gained }", "{ nothing: true }")
    tests = [text.replace("test: ", f"test: {number} ") for number, text in enumerate((off, on, off, on))]
    done = waymark("test", add(workspace, "---\n".join(tests)))
    assert done.code == 0, done.out
    assert "coverage: 0 of 0 automations" in done.out


def test_terms_are_those_of_the_settings(workspace):
    text = GOOD.replace("{ member: gained }", "{ automations: { join: { 10: failed USER_UNKNOWN } } }")
    assert waymark("test", add(workspace, text)).code == 1
    (workspace / "waymark.yaml").write_text("users: closed\n")
    assert waymark("test", workspace).code == 0


def test_names_that_are_not_there_fail_the_test(workspace):
    """They would prove anything: nobody holds a role that does not exist."""
    for then in ("{ membre: not held }", "{ automations: { jion: does not run } }"):
        done = waymark("test", add(workspace, GOOD.replace("{ member: gained }", then)))
        assert done.code == 1 and "did you mean" in done.err and "0 passed, 1 failed" in done.out


def test_the_filter_takes_a_part_of_the_name_or_file(workspace):
    add(workspace, GOOD, "one.yaml")
    add(workspace, BAD, "two.yaml")
    assert waymark("test", workspace, "--filter", "a milestone").code == 0
    assert waymark("test", workspace, "--filter", "two.yaml").code == 1
    done = waymark("test", workspace, "--filter", "nobody")
    assert done.code == 1 and "nobody" in done.err


def test_without_tests(workspace):
    done = waymark("test", workspace)
    assert done.code == 0 and "no tests" in done.err
    assert waymark("test", workspace, "--strict").code == 1


def test_an_invalid_workspace_runs_nothing(workspace):
    done = waymark("test", add(workspace, GOOD + "thn: {}\n"))
    assert done.code == 1 and done.out == "" and "did you mean 'then'" in done.err


def test_coverage_tells_what_is_missing(workspace):
    (workspace / "more.yaml").write_text(AUTOMATION.replace("join", "more"))
    done = waymark("test", add(workspace, GOOD), "--coverage")
    assert done.code == 0
    assert re.search(r'/join.yaml:4 +join +data.milestone is "joined": never no$', done.out, re.M)
    missing = waymark("test", workspace, "--coverage", "--json").json[-1]["coverage"]["missing"]
    assert [(one["automation"], one["kind"], one["yes"], one["no"]) for one in missing] == [
        ("join", "condition", True, False), ("more", "automation", False, False), ("more", "task", False, False),
        ("more", "condition", False, True)]
    more = add(workspace, BAD.replace("held", "not held"), "tests.yaml")
    missing = waymark("test", more, "--coverage", "--json").json[-1]["coverage"]["missing"]
    found = [(one["automation"], one["kind"], one["line"]) for one in missing]
    assert found == [("join", "automation", 1), ("join", "task", 6), ("join", "condition", 4),
                     ("more", "automation", 1), ("more", "task", 6), ("more", "condition", 4)]


def test_options_that_do_not_go_together(workspace):
    for wrong in (["--user", "x"], ["--record", "x", "--json"], ["--record", "x", "--filter", "y"]):
        assert waymark("test", workspace, *wrong).code == 2


# --- JUnit ---

HOSTILE = ['<&\\"\'>', "]]>", "a\\nb", "\\u0001\\u001b[31m", "\\ufffe\\uffff", "\\U0001F600", "–", "<!--", "&#0;", "\\x7f\\x85"]


def test_junit_is_well_formed_for_every_name(workspace, tmp_path):
    text = "---\n".join(f'test: "{n} {name}"\nwhen: {{ journey.x: {{ "{name}": "{name}" }} }}\nthen: {{ member: held }}\n'
                        for n, name in enumerate(HOSTILE))
    done = waymark("test", add(workspace, text), "--junit", tmp_path / "junit.xml")
    assert done.code == 1, done.err
    suite = xml.etree.ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert suite.tag == "testsuite" and suite.get("tests") == suite.get("failures") == str(len(HOSTILE))
    names = sorted((case.get("name") for case in suite), key=lambda name: int(name.split()[0]))
    assert names[0] == "0 <&\"'>" and names[2] == "2 a\nb" and names[5] == "5 \U0001F600"
    assert all(case.find("failure").get("message").startswith("expected: role member held") for case in suite)


def test_junit_on_stdout_stands_alone(workspace):
    done = waymark("test", add(workspace, BAD), "--junit", "-")
    assert done.code == 1 and len(xml.etree.ElementTree.fromstring(done.out)[0]) == 1
    assert waymark("test", workspace, "--junit", "-", "--json").code == 2


def test_junit_of_tests_that_pass(workspace, tmp_path):
    assert waymark("test", add(workspace, GOOD), "--junit", tmp_path / "junit.xml").code == 0
    (case,) = xml.etree.ElementTree.parse(tmp_path / "junit.xml").getroot().iter("testcase")
    assert case.get("name") == "a milestone makes a member" and len(case) == 0
    assert case.get("classname") == f"{workspace}/tests.yaml"


# --- recording ---

def record(folder, tmp_path, one, user=None, **options):
    (tmp_path / "event.json").write_text(one if isinstance(one, str) else json.dumps(one))
    words = ["--record", tmp_path / "event.json"]
    if user is not None:
        (tmp_path / "user.json").write_text(json.dumps(user))
        words += ["--user", tmp_path / "user.json"]
    for name, value in options.items():
        words += [f"--{name}", value]
    return waymark("test", folder, *words)


def test_a_recorded_test_passes_and_can_fail(workspace, tmp_path):
    done = record(workspace, tmp_path, event(), name="joined")
    assert (done.code, done.err) == (0, "")
    assert "  member: gained\n" in done.out and "      10: changed\n" in done.out
    assert waymark("test", add(workspace, done.out)).code == 0
    (workspace / "join.yaml").write_text(AUTOMATION.replace("joined", "left"))
    assert waymark("test", workspace).code == 1


def test_nothing_is_written_over(workspace, tmp_path):
    path = workspace / "recorded.yaml"
    assert record(workspace, tmp_path, event(), output=path).out == f"{path}\n"
    before = path.read_text()
    assert record(workspace, tmp_path, event(), output=path, name="x").code == 2
    assert path.read_text() == before
    done = record(workspace, tmp_path, event())
    assert done.code == 2 and "already" in done.err  # a name that the workspace has


def test_what_cannot_be_recorded(workspace, tmp_path):
    assert record(workspace, tmp_path, event(id=None)).code == 1
    assert record(workspace, tmp_path, "{").code == 1
    assert record(workspace, tmp_path, lines(event(1), event(2))).code == 2
    assert record(workspace, tmp_path, event(), user={"v": 2}).code == 2


def random_value(rng, depth=0):
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, -1, 80, 2**53, -2**63, 2**63 - 1, 10**30])
    if kind == 2:
        return rng.choice([0.5, -1e300, 1e-7, 80.0])
    if kind < 6:
        return "".join(rng.choice("ab:#-'\"\\{}[],&*!|>%@` \n\t~é–\U0001F600\x01\x7f\x85\u2028\ufeff\ufffe0123")
                       for _ in range(rng.randrange(12))) or rng.choice(["", "null", "true", "1e3", "0x10", "2026-01-01"])
    if kind < 8:
        return {str(random_value(rng, 9)) + str(i): random_value(rng, depth + 1) for i in range(rng.randrange(4))}
    return [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]


def random_event(rng, number):
    journey = {"journey": rng.choice(["partner-certification"] * 5 + ["onboarding"]), "phase": rng.choice(["training", "exam"]),
               "milestone": rng.choice(["certified", "expert", "x"]), "score": rng.choice([61, 80, 95.5, "80"]),
               "proctored": rng.choice([True, False, None]), "flags": rng.choice([[], ["plagiarism"], None]),
               "attempt": rng.randrange(5)}
    journey = {key: value for key, value in journey.items() if rng.random() < 0.95}
    profile = {"status": rng.choice(["active"] * 4 + ["suspended"]), "type": rng.choice(["partner"] * 3 + ["customer"]),
               "name": rng.choice(["Ada", "O'Neil: {\"x\"}", "#1\n"]), "portals": ["partners"], "manager": "grace",
               "org-units": {"division": ["acme", "emea"]}, "groups": ["training-partners"], "unknown": 1}
    types = {"journey.started": journey, "journey.milestone.achieved": journey, "journey.milestone.expired": journey,
             "journey.milestone.failed": journey, "journey.phase.entered": journey, "journey.phase.completed": journey,
             "directory.user.updated": profile, "directory.user.deleted": None, "role.unknown.thing": {"a": 1},
             "role.assignment.requested": {"role": rng.choice(["new-partner", "portal-administrator", "nobody"]),
                                           "action": rng.choice(["add", "remove"])}}
    kind = rng.choice([*types, *4 * ["journey.milestone.achieved"]])
    data = types[kind]
    if kind.startswith("journey."):
        data = {**data, "more": random_value(rng)} if rng.random() < 0.5 else data
    one = event(number, type=kind, data=data, subject="ada", time=f"2026-03-{1 + number // 24 % 28:02}T{number % 24:02}:00:00Z")
    if rng.random() < 0.2:
        one["extension"] = rng.choice(["x", "", 5, True, "a: b #c"])
    if rng.random() < 0.1 and not kind.startswith(("directory", "role")):
        del one["subject"]
        if rng.random() < 0.5:
            one["data"] = {**one["data"], "user": "ada"}
    return one


def test_whatever_is_recorded_passes(sample, tmp_path):
    """Random events over the sample, each with the register that the ones before it left."""
    rng, texts, before = random.Random(7), [], []
    for number in range(60):
        one = random_event(rng, number)
        user = None
        if before:
            (tmp_path / "before.jsonl").write_text(lines(*before))
            waymark("simulate", SAMPLE, tmp_path / "before.jsonl", "--users", tmp_path / "users.jsonl")
            user = next((row for row in map(json.loads, (tmp_path / "users.jsonl").read_text().splitlines())
                         if row["user"] == "ada"), None)
        about_ada = one.get("subject") or one["data"].get("user")
        done = record(sample, tmp_path, one, user=user if about_ada else None, name=f"number {number}")
        assert (done.code, done.err) == (0, ""), (one, done.err)
        texts.append(done.out)
        before.append(one)
    (sample / "tests" / "recorded.yaml").write_text("---\n".join(texts))
    done = waymark("test", sample, "--filter", "recorded.yaml")
    assert done.code == 0 and "60 passed, 0 failed" in done.out, done.out
    assert any("gained" in text for text in texts) and any("failed" in text for text in texts)
    for text in texts:
        if "json:" not in text:
            jsonschema.validate(with_text_keys(documents(text)[0]), SCHEMA)


def test_what_yaml_cannot_hold_is_recorded_as_json(workspace, tmp_path):
    deep = "x"
    for _ in range(29):  # as deep as an event may be, and deeper than a document
        deep = [deep]
    done = record(workspace, tmp_path, event(data={"milestone": "joined", "deep": {"a": deep}}))
    assert (done.code, done.err) == (0, "") and "json:" in done.out
    assert waymark("test", add(workspace, done.out)).code == 0


# --- documents ---

def test_the_examples_of_the_guide_pass(sample):
    blocks = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    assert len(blocks) >= 3
    for number, block in enumerate(blocks):
        (sample / f"guide-{number}.yaml").write_text(block)
    done = waymark("test", sample, "--filter", "guide-", "--strict")
    assert done.code == 0, done.out + done.err


def test_the_failure_that_the_guide_shows_is_what_is_said(sample):
    path = sample / "tests" / "certification.yaml"
    path.write_text(path.read_text().replace("score: 79, proctored: true }\nthen: { nothing: true }",
                                             "score: 79, proctored: true }\nthen: { certified-partner: held }"))
    done = waymark("test", sample, "--filter", "points are too few")
    shown = re.search(r"^( +expected  .*\n +but .*\n +because .*\n)", GUIDE.read_text(), re.M).group(1)
    assert shown in done.out


def shaped():
    for path in [*sorted((SAMPLE / "tests").glob("*.yaml")), ROOT / "tests" / "fixtures" / "yaml" / "fine-every-key" / "input.yaml"]:
        for document in documents(path.read_text()):
            yield pytest.param(document, id=str(document["test"]))


@pytest.mark.parametrize("document", shaped())
def test_good_documents_fit_the_schema(document):
    jsonschema.validate(with_text_keys(document), SCHEMA)


@pytest.mark.parametrize("text", [
    "givn: {}", "then: { member: hold }", "then: { nothing: false }", "then: { automations: { a: run } }",
    "then: { automations: { a: { x: changed } } }", "then: { automations: { a: { 1: chnged } } }",
    "then: { notifications: some }", "then: { notifications: [{ chanel: c }] }", "then: { Member: held }", "when: []",
    "when: { journey.started: [1] }", "given: { user: { stats: active } }", "given: { user: {}, register: {} }",
    "given: { roles: { r: me } }", "later: { at: 2026-01-01, after: 1d }", "later: []", "at: noon",
    "later: { after: soon }", "given: { roles: [{ by: manual }] }"])
def test_bad_documents_fit_neither_schema_nor_loader(workspace, text):
    document = f"test: x\n{text}\n"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(with_text_keys(documents(document)[0]), SCHEMA)
    done = waymark("lint", add(workspace, document))
    assert done.code == 1 and "invalid" in done.err


def test_the_template_passes(sample):
    """It is made of what the workspace has, and says what comes of it now."""
    assert waymark("new", "test", "my-test", "-C", sample).code == 0
    path = sample / "tests" / "my-test.yaml"
    done = waymark("test", sample, "--filter", "my-test", "--strict")
    assert done.code == 0, done.err + done.out
    (document,) = documents(path.read_text())
    jsonschema.validate(with_text_keys(document), SCHEMA)
    assert document["then"]["automations"] == {"certificate-expired": {10: "unchanged", 20: "unchanged", 30: "requested"}}
    path.write_text(re.sub(r"^( *)# ?", r"\1", path.read_text(), flags=re.M))
    done = waymark("lint", sample)
    assert done.code == 0, done.err  # what the comments offer can be read


@pytest.mark.parametrize("when, data", [
    ("{ data.milestone: joined }", {"milestone": "joined"}),
    ("{ data.score: { at-least: 80 }, data.x: { in: [a, b] } }", {"score": 80, "x": "a"}),
    ("{ data.score: { above: 80 }, data.low: { below: 5 } }", {"score": 81, "low": 4}),
    ("{ data.there: { present: true }, any: [{ data.a: 1 }, { data.b: 2 }] }", {"there": "something", "a": 1}),
    ("{ data.name: { starts-with: 'x: y' }, not: { data.c: 3 } }", {"name": "x: y"}),
    ("{}", {})])
def test_the_template_fits_the_first_automation(workspace, when, data):
    (workspace / "join.yaml").write_text(AUTOMATION.replace("when:\n  data.milestone: joined\n", f"when: {when}\n"))
    waymark("new", "test", "my-test", "-C", workspace)
    (document,) = documents((workspace / "tests" / "my-test.yaml").read_text())
    assert document["when"] == {"journey.milestone.achieved": data}
    assert waymark("test", workspace).code == 0


def test_the_template_of_an_empty_workspace_passes(tmp_path):
    assert waymark("new", "test", "my-test", "-C", tmp_path / "ws").code == 0
    assert waymark("test", tmp_path / "ws").code == 0


# --- size ---

def test_a_thousand_tests_take_no_time(sample):
    text = "---\n".join((SAMPLE / "tests" / "certification.yaml").read_text().split("---\n"))
    one = documents(text)[0]
    many = []
    for number in range(1000):
        many.append(yaml.safe_dump({**one, "test": f"number {number}"}, sort_keys=False))
    (sample / "tests" / "many.yaml").write_text("---\n".join(many[:500]))
    (sample / "tests" / "more.yaml").write_text("---\n".join(many[500:]))
    begin = cpu_seconds()
    done = waymark("test", sample, "--filter", "number", "--json")
    took = cpu_seconds() - begin
    assert done.code == 0 and done.json[-1]["passed"] == 1000
    assert took < 5, took  # well under one on an idle machine


HOSTILE_DOCUMENTS = [
    "test: deep\nwhen: { journey.started: " + "{a: " * 25 + "1" + "}" * 25 + " }\n",
    "test: deeper\nwhen: { journey.started: " + "{a: " * 200 + "1" + "}" * 200 + " }\n",
    "test: many\nwhen:\n" + "  - journey.started:\n" * 20000,
    "test: many steps\nlater:\n" + "  - { after: 1d }\n" * 20000,
    "test: many roles\nthen:\n" + "".join(f"  r{n}: held\n" for n in range(20000)),
    "test: long\nthen: { " + "x" * 100000 + ": held }\n",
    "test: { a: b }\n", "test:\n", "test: x\nthen: 5\ngiven: 5\nwhen: 5\nlater: 5\nat: {}\n",
    "test: x\nlater: { after: 36500d, then: { nothing: true } }\n",
    "test: x\nat: 9999-12-31\nlater: [" + ", ".join(["{ after: 36500d }"] * 900) + "]\n",
    "test: x\nat: 0000-01-01\nthen: { nothing: true }\ngiven: { roles: [member], user: {} }\n",
    "test: x\nwhen: { json: '" + "[" * 100000 + "' }\n",
    "test: x\ngiven: { register: '" + "[" * 100000 + "' }\n",
    "? [a]\n: b\ntest: x\nthen: { ? [a] : held }\n",
]


@pytest.mark.parametrize("text", HOSTILE_DOCUMENTS, ids=range(len(HOSTILE_DOCUMENTS)))
def test_hostile_documents_are_read_or_refused(workspace, text):
    done = waymark("test", add(workspace, text))
    assert done.code in (0, 1), (done.code, done.err[-500:])
    assert waymark("lint", workspace).code in (0, 1)
