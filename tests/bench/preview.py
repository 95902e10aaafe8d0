"""How fast `waymark roles preview` is: 1 000 000 users out of a file, two catalogues of 200 roles with 5 criteria each."""
import argparse
import json
import os
import pathlib
import random
import resource
import subprocess
import tempfile
import time

UNITS, GROUPS, TIERS = 50, 400, 1000


def write_catalogue(folder, roles, users, seed):
    choose = random.Random(seed)
    folder.mkdir()
    (folder / "waymark.yaml").write_text("")
    (folder / "roles.yaml").write_text("---\n".join(
        f"role: role-{number:03}\nassigned-when:\n  - group: g{choose.randrange(GROUPS)}\n"
        f"  - org-unit: unit-{choose.randrange(UNITS)}\n    include-subordinates: true\n"
        f"  - user: u{choose.randrange(users)}\n  - when: {{ user.attributes.tier: t{choose.randrange(TIERS)} }}\n"
        f"  - group: g{choose.randrange(GROUPS)}\n" for number in range(roles)))
    return folder


def write_users(path, count):
    choose = random.Random(3)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            profile = {"clock": [1795255200000000, "/hr", f"e{number}", "", 0], "status": "active", "type": "partner",
                       "name": "Some Body", "email": f"u{number}@acme.example", "manager": f"u{number // 10}",
                       "org-units": {"division": ["acme", f"unit-{choose.randrange(UNITS)}"]},
                       "groups": [f"g{choose.randrange(GROUPS)}" for _ in range(5)],
                       "attributes": {"tier": f"t{choose.randrange(TIERS)}"}}
            register = {"v": 1, "user": f"u{number}", "home": 0, "profile": profile, "cleared": None, "roles": {},
                        "ran": {}, "recent": ""}
            file.write(json.dumps({"user": f"u{number}", "effective": [], "register": register},
                                  separators=(",", ":")) + "\n")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=1_000_000)
    options.add_argument("--roles", type=int, default=200)
    given = options.parse_args()
    command = pathlib.Path(os.environ["WAYMARK_BUILD"]) / "waymark"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        old, new = (write_catalogue(folder / each, given.roles, given.users, each) for each in ("old", "new"))
        write_users(folder / "users.jsonl", given.users)
        began = time.monotonic()
        done = subprocess.run([command, "roles", "preview", new, "-C", old, "--users", folder / "users.jsonl", "--json"],
                              capture_output=True, text=True, check=True)
        wall = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = json.loads(done.stdout.splitlines()[-1])
    assert whole["users"] == given.users
    print(f"preview: {given.users} users, {whole['gains']} gains, {whole['losses']} losses")
    print(f"  {given.users / wall:.0f} users/s, {given.users / (used.ru_utime + used.ru_stime):.0f} a second of CPU, "
          f"{used.ru_maxrss / 1024:.1f} MiB")


if __name__ == "__main__":
    main()
