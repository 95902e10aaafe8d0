"""waymark directory import on real Kafka and Redis: profiles and derived roles follow a file of people."""
import collections
import json

from checker import settle
from waymark_testlib.kafka import home
from waymark_testlib.process import wait_until
from waymark_testlib.worker import waymark

ROLES = """
role: lead
label: Lead
assigned-when: [{manager-of-anyone: true}]
---
role: emea
label: EMEA
assigned-when: [{org-unit: emea, include-subordinates: true}]
---
role: reports-of-ann
label: Reports of Ann
assigned-when: [{user: ann, include-subordinates: true}]
"""

HEAD = "id,name,manager,org-units.division\n"
PEOPLE = {"ann": "ann,Ann,,acme", "bob": "bob,Bob,,acme/emea", "cid": "cid,Cid,ann,acme/emea/dach",
          "größe {1}": "größe {1},Dee,bob,acme"}


def import_people(workspace, people, *more):
    """The last line of --json; the file has these people."""
    path = workspace.folder / "people.csv"
    path.write_text(HEAD + "\n".join(people.values()) + "\n")
    done = waymark("directory", "import", path, "-C", workspace.folder, "--yes", "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def events(workspace):
    return [(record, json.loads(record.value)) for record in workspace.broker.read(workspace.topic["directory"])]


def roles_become(workspace, expected):
    found = {}

    def same():
        found.update({user: workspace.roles(user) for user in expected})
        return found == expected

    wait_until(same, what=f"the roles {expected}")


def test_a_file_of_people_becomes_profiles_and_roles(make_workspace, workers):
    workspace = make_workspace(ROLES)
    worker = workers(workspace)
    counts = import_people(workspace, PEOPLE)
    assert (counts["new"], counts["sent"]) == (4, 4)
    settle(workspace, [worker])
    roles_become(workspace, {"ann": {"lead", "reports-of-ann"}, "bob": {"lead", "emea"},
                             "cid": {"emea", "reports-of-ann"}, "größe {1}": set()})
    for record, event in events(workspace):
        user = event["subject"]
        assert record.key.decode() == user and record.partition == home(user, 4)
    register = json.loads(workspace.redis.client().hget(workspace.redis_key("cid", "user"), "register"))
    profile = {key: value for key, value in register["profile"].items() if key != "clock"}
    assert profile == {"status": "active", "name": "Cid", "manager": "ann", "managers": ["ann"],
                       "org-units": {"division": ["acme", "emea", "dach"]}}

    # the same file again is nothing
    counts = import_people(workspace, PEOPLE)
    assert (counts["unchanged"], counts["sent"]) == (4, 0) and len(events(workspace)) == 4

    # one manager changes: he and those whose profile follows from it are sent, nobody else
    moved = {**PEOPLE, "cid": "cid,Cid,bob,acme/emea/dach"}
    counts = import_people(workspace, moved)
    assert (counts["changed"], counts["sent"]) == (2, 2)
    settle(workspace, [worker])
    sent = collections.Counter(event["subject"] for _, event in events(workspace))
    assert sent == {"ann": 2, "cid": 2, "bob": 1, "größe {1}": 1}
    roles_become(workspace, {"ann": {"reports-of-ann"}, "cid": {"emea"}, "bob": {"lead", "emea"}})

    # who is missing stays, until deletions are asked for
    without = {user: row for user, row in moved.items() if user != "cid"}
    counts = import_people(workspace, without)
    assert (counts["missing"], counts["sent"]) == (1, 0) and workspace.roles("cid") == {"emea"}
    refused = waymark("directory", "import", workspace.folder / "people.csv", "-C", workspace.folder, "--yes",
                      "--delete-missing")
    assert refused.returncode == 1 and "--max-deletions 1" in refused.stderr and workspace.roles("cid") == {"emea"}
    counts = import_people(workspace, without, "--delete-missing", "--max-deletions", "1")
    assert (counts["deleted"], counts["sent"]) == (1, 1)
    settle(workspace, [worker])
    roles_become(workspace, {"cid": set(), "bob": {"lead", "emea"}})
    assert import_people(workspace, without, "--delete-missing")["sent"] == 0
    assert worker.lines("task failed|event rejected| error ") == []
