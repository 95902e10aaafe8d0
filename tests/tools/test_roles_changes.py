"""waymark roles preview, export and import, without Kafka and Redis."""
import hashlib
import json

import jsonschema
import pytest
from conftest import ROOT, SAMPLE, lines, waymark

OLD = """\
role: member
---
role: staff
assigned-when: [{group: staff}]
---
role: everyone
assigned-when: [{all: true}]
---
automation: join
trigger: journey.started
tasks: [{name: n, sequence: 1, type: change-role, role: member, action: add}]
"""
NEW = """\
role: member
type: employee
---
role: staff
assigned-when: [{group: staff}, {group: temps}]
"""


def folder(tmp_path, name, documents):
    path = tmp_path / name
    path.mkdir()
    (path / "waymark.yaml").write_text("")
    (path / "roles.yaml").write_text(documents)
    return path


def person(number):
    groups = [["staff"], ["temps"], []][number % 3]
    profile = {"status": "active", "type": ["employee", "partner"][number % 2], "groups": groups}
    head = {"specversion": "1.0", "source": "/d", "subject": f"u{number:02}", "time": "2026-01-01T00:00:00Z"}
    return (json.dumps({**head, "id": f"d{number}", "type": "directory.user.updated", "data": profile}),
            json.dumps({**head, "id": f"j{number}", "type": "journey.started"}))


@pytest.fixture
def people(tmp_path):
    """Two workspaces, and 30 users of the old one as a file."""
    old, new = folder(tmp_path, "old", OLD), folder(tmp_path, "new", NEW)
    users = tmp_path / "users.jsonl"
    events = lines(*(event for number in range(30) for event in person(number)))
    done = waymark("simulate", old, "-", "--users", users, stdin=events)
    assert done.code == 0, done.err
    return old, new, users


def preview(people, *words):
    old, new, users = people
    return waymark("roles", "preview", new, "-C", old, "--users", users, *words)


# --- preview ---

def test_preview_counts_what_would_be_gained_lost_and_kept(people):
    done = preview(people, "--json", "--users-shown", "2")
    assert (done.code, done.err) == (0, "")
    *roles, whole = done.json
    assert [(role["role"], role["catalogue"], role["gained"], role["lost"], role["kept"]) for role in roles] == [
        ("everyone", "gone", 0, 30, 0), ("member", "both", 0, 15, 15), ("staff", "both", 10, 0, 10)]
    assert roles[1]["lost-by"] == ["u01", "u03"] and roles[2]["gained-by"] == ["u01", "u04"]
    assert whole == {"users": 30, "changed": 30, "gains": 10, "losses": 45, "locked-out": 5,
                     "locked-out-users": ["u05", "u11"]}


def test_preview_agrees_with_what_simulate_makes_of_both(people, tmp_path):
    """The sets that both catalogues give by simulate, compared by hand."""
    old, new, users = people
    before = {user["user"]: set(user["effective"]) for user in map(json.loads, users.read_text().splitlines())}
    profiles = lines(*(person(number)[0] for number in range(30)))
    derived = {user["user"]: set(user["effective"])
               for user in waymark("simulate", new, "-", "--users", "-", stdin=profiles).json if "user" in user}
    after = {user: derived[user] | ({"member"} if int(user[1:]) % 2 == 0 else set()) for user in before}
    whole = preview(people, "--json").json[-1]
    assert whole["gains"] == sum(len(after[user] - before[user]) for user in before)
    assert whole["losses"] == sum(len(before[user] - after[user]) for user in before)
    assert whole["locked-out"] == sum(1 for user in before if before[user] and not after[user])


def test_preview_for_people(people):
    done = preview(people)
    assert done.code == 0
    assert "not in the new catalogue; lost by u00, u01, u02, u03, u04 and 25 more" in done.out
    assert "30 of 30 users would change: 10 gains, 45 losses" in done.out
    assert "5 would be left without any role in force: u05, u11, u17, u23, u29" in done.out


def test_a_limit_of_losses_makes_a_gate(people):
    assert preview(people, "--max-losses", "45").code == 0
    done = preview(people, "--max-losses", "44")
    assert done.code == 1 and "45 losses are more than --max-losses 44" in done.err
    old, _, users = people
    assert waymark("roles", "preview", old, "-C", old, "--users", users, "--max-losses", "0").code == 0


def test_preview_reads_bare_registers_too_and_locates_what_is_none(people, tmp_path):
    old, new, users = people
    bare = tmp_path / "bare.jsonl"
    bare.write_text("".join(json.dumps(json.loads(line)["register"]) + "\n" for line in users.read_text().splitlines()))
    assert preview((old, new, bare), "--json").out == preview(people, "--json").out
    bare.write_text(bare.read_text() + "{}\n")
    done = preview((old, new, bare))
    assert done.code == 1 and f"{bare}:31: no register" in done.err and done.out == ""


@pytest.mark.parametrize("words, said", [
    (["--users-shown", "-1"], "--users-shown '-1' must be a number"),
    (["--users-shown", "1001"], "from 0 to 1000"),
    (["--max-losses", "many"], "--max-losses 'many' must be a number"),
    (["--reason", "x"], "it has no option '--reason'"),
    (["another"], "one argument too many"),
])
def test_preview_wrong_usage(people, words, said):
    done = preview(people, *words)
    assert done.code == 2 and said in done.err and done.out == ""


def test_preview_of_an_invalid_workspace(people):
    old, new, users = people
    (new / "roles.yaml").write_text("role: Member\n")
    done = preview(people)
    assert done.code == 1 and "NAME_INVALID" in done.err and done.out == ""


# --- export and import ---

FULL = """\
# before the first
role: full
label: "0x10: yes"   # 'quoted', and "so"
description: >
  Folded text,
  ends here.
type: partner
delegation: holders
portals: [partners, "on"]
assigned-when:
  - user: user-7
    include-subordinates: true
  - when:
      user.attributes.tier: { in: [gold, 7, 1.50, true] }
      any:
        - user.attributes."a.b": "007"
        - not: { user.email: { ends-with: "@acme.example" } }
permissions:
  reports: { read: [all, "größe \\u0007"] }
"""
LABELS = "role: zero\nlabel: 007\ndescription: 1.10\n"


def exported(workspace, *names):
    done = waymark("roles", "export", *names, "-C", workspace, "--offline")
    assert done.code == 0, done.err
    return done.json


def digests(workspace):
    return {role["role"]: role["version"] for role in exported(workspace)}


def imported(tmp_path, text, name="empty"):
    target = tmp_path / name
    target.mkdir(exist_ok=True)
    (target / "waymark.yaml").touch()
    return target, waymark("roles", "import", "-", target, "--yes", stdin=text)


def test_export_then_import_gives_the_same_catalogue(tmp_path):
    source = folder(tmp_path, "source", f"{FULL}--- # a remark\n{LABELS}---\r\nrole: crlf\r\nlabel: C\r\n---\n{{role: flow}}\n")
    text = waymark("roles", "export", "-C", source, "--offline").out
    target, done = imported(tmp_path, text)
    assert done.code == 0, done.err
    assert digests(target) == digests(source) and len(digests(source)) == 4
    assert sorted(path.name for path in (target / "roles").iterdir()) == [
        "crlf.yaml", "flow.yaml", "full.yaml", "zero.yaml"]
    assert waymark("lint", target).code == 0


def test_the_sample_goes_through_export_and_import(tmp_path):
    text = waymark("roles", "export", "-C", SAMPLE, "--offline").out
    target, done = imported(tmp_path, f"[{','.join(text.splitlines())}]")
    assert done.code == 0, done.err
    assert digests(target) == digests(SAMPLE) != {}


def test_an_export_says_what_belongs_to_a_role(tmp_path):
    source = folder(tmp_path, "source", OLD + "---\n" + FULL)
    (member,) = exported(source, "member")
    assert member["given-by"] == ["join"] and member["taken-by"] == [] and member["definition"] == {"role": "member"}
    assert member["version"] == hashlib.sha256(member["document"].encode()).hexdigest()[:12]
    (full,) = exported(source, "full")
    assert full["definition"]["label"] == "0x10: yes" and full["definition"]["portals"] == ["partners", "on"]
    assert full["definition"]["assigned-when"][1]["when"]["user.attributes.tier"] == {"in": ["gold", 7, 1.5, True]}


def test_exports_fit_their_schema(tmp_path):
    schema, inner = (json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text()) for name in ("role-export", "role"))
    source = folder(tmp_path, "source", f"{FULL}---\n{LABELS}---\n{OLD}")
    for role in [*exported(source), *exported(SAMPLE)]:
        jsonschema.validate(role, schema)
        jsonschema.validate(role["definition"], inner)
        assert set(role) <= set(schema["properties"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"role": "a"}, schema)


def test_a_definition_alone_becomes_a_document(tmp_path):
    source = folder(tmp_path, "source", f"{FULL}---\n{LABELS}")
    text = "".join(json.dumps({"role": role["role"], "definition": role["definition"]}) + "\n" for role in exported(source))
    target, done = imported(tmp_path, text)
    assert done.code == 0, done.err
    assert [role["definition"] for role in exported(target)] == [role["definition"] for role in exported(source)]
    assert exported(target)[1]["definition"] == {"role": "zero", "label": "007", "description": "1.10"}


def test_nothing_is_written_over(tmp_path):
    text = '{"role":"a","document":"role: a\\n"}\n{"role":"member","document":"role: member\\n"}\n'
    target = folder(tmp_path, "target", OLD)
    _, done = imported(tmp_path, text, "target")
    assert done.code == 1 and "'member': it is in the catalogue already" in done.err
    assert not (target / "roles").exists()
    (target / "roles").mkdir()
    (target / "roles" / "a.yaml").write_text("# kept\n")
    _, done = imported(tmp_path, text.splitlines()[0], "target")
    assert done.code == 1 and "a.yaml' is there already" in done.err
    assert (target / "roles" / "a.yaml").read_text() == "# kept\n"


def test_what_the_workspace_would_refuse_is_taken_back(tmp_path):
    folder(tmp_path, "target", "role: one\nlabel: Same\n")
    text = '{"role":"two","document":"role: two\\nlabel: Same\\n"}'
    target, done = imported(tmp_path, text, "target")
    assert done.code == 1 and "NAME_DUPLICATE" in done.err and "nothing was imported" in done.err
    assert list((target / "roles").iterdir()) == []


def test_roles_that_the_settings_ignore_are_not_imported(tmp_path):
    target = folder(tmp_path, "target", OLD)
    (target / "waymark.yaml").write_text("ignore: ['roles/*']\n")
    done = waymark("roles", "import", "-", target, "--yes", stdin='{"role":"two","document":"role: two\\n"}')
    assert done.code == 1 and "does 'ignore' in its settings name it?" in done.err
    assert list((target / "roles").iterdir()) == []


@pytest.mark.parametrize("text, said", [
    ("", "there is no role in it"),
    ("[]", "there is no role in it"),
    ("{", "-:1: "),
    ("7", "an object with a 'role'"),
    ('{"role":"../a","document":"role: a"}', "-:1: role '../a': that is no name of a role"),
    ('{"role":"a","document":"role: a"}\n\n{"role":"b"}', "-:3: role 'b': it has neither a 'document'"),
    ('{"role":"a","definition":[]}', "neither a 'document'"),
    ('{"role":"a","document":"role: b"}', "one YAML document with 'role: a'"),
    ('{"role":"a","document":"role: a\\n---\\nrole: b"}', "one YAML document"),
    ('{"role":"a","document":"role: *a"}', "role 'a': "),
    ('{"role":"a","document":"role: a","definition":{"role":"a","label":"x"}}', "say different things"),
    ('[{"role":"a","document":"role: a"},{"role":"a","document":"role: a"}]', "it stands there twice"),
    ('{"role":"a","definition":{"role":"a","lable":"x"}}', "did you mean 'label'"),
    ('{"role":"a","document":"role: a","control":{"archived":7}}\n{"role":"b"}', "neither a 'document'"),
])
def test_import_refuses_what_is_no_role(tmp_path, text, said):
    target, done = imported(tmp_path, text)
    assert done.code == 1 and said in done.err and done.out == ""
    assert not (target / "roles").exists() or list((target / "roles").iterdir()) == []


def test_unknown_roles_get_a_suggestion(people):
    old = people[0]
    for words in (["export", "membr"], ["archive", "membr", "staf", "--reason", "r"], ["unarchive", "membr", "--reason", "r"]):
        done = waymark("roles", *words, "-C", old)
        assert done.code == 1 and "did you mean 'member'?) [ROLE_UNKNOWN]" in done.err and done.out == ""


@pytest.mark.parametrize("words, said", [
    (["archive"], "ROLE... is missing"),
    (["archive", "member"], "--reason is missing"),
    (["archive", "member", "--reason", "  "], "--reason is missing"),
    (["archive", "member", "--reason", "r", "--timeout", "5"], "no duration"),
    (["archive", "member", "--reason", "r", "--by", ""], "--by"),
    (["export", "--json"], "it has no option '--json'"),
    (["import"], "FILE [DIR] is missing"),
    (["import", "a", "b", "c"], "one argument too many: 'c'"),
    (["unarchiv", "member"], "did you mean 'unarchive'"),
])
def test_wrong_usage(people, words, said):
    done = waymark("roles", *words, "-C", people[0])
    assert done.code == 2 and said in done.err and done.out == ""
