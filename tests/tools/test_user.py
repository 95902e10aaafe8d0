"""waymark user: a user as Redis knows him."""
import json
import shutil

import pytest
from conftest import event, lines, waymark

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server")


@pytest.fixture
def known(workspace, redis):
    """A workspace with this Redis, which knows the user u1."""
    played = waymark("simulate", workspace, "-", "--users", "-", stdin=lines(event(1))).json[0]
    redis("HSET", "wm:{u1}:user", "gen", "1", "at", "7", "register", json.dumps(played["register"]))
    redis("SADD", "wm:{u1}:roles", "member")
    (workspace / "waymark.yaml").write_text(f'redis: {{ address: "{redis.socket}" }}\n')
    return workspace


def test_json(known):
    done = waymark("user", "u1", "-C", known, "--json")
    assert done.code == 0, done.err
    (answer,) = done.json
    assert answer["user"] == "u1" and answer["effective"] == ["member"]
    assert (answer["gen"], answer["at"]) == (1, 7) and answer["register"]["user"] == "u1"


def test_people_read_why(known):
    done = waymark("user", "u1", "-C", known)
    assert done.code == 0, done.err
    assert "roles member" in done.out
    assert "automation join, event e1" in done.out
    assert '"grants"' in done.out


def test_people_read_that_a_role_awaits_a_sign_in(workspace, redis):
    (workspace / "waits.yaml").write_text("role: waits\nactivate: at-sign-in\nassigned-when: [{ group: staff }]\n")
    (workspace / "waymark.yaml").write_text(f'redis: {{ address: "{redis.socket}" }}\n')
    happened = [event(1, type="directory.user.updated", data={"status": "active", "groups": ["staff"]}),
                event(2, type="directory.user.signed-in", data=None)]
    for count, said in ((1, "awaits a sign-in"), (2, "yes")):
        played = waymark("simulate", workspace, "-", "--users", "-", stdin=lines(*happened[:count])).json[0]
        redis("HSET", "wm:{u1}:user", "gen", "1", "at", "7", "register", json.dumps(played["register"]))
        done = waymark("user", "u1", "-C", workspace)
        row = next(line for line in done.out.splitlines() if "derived:" in line)
        assert said in row and "the directory group is staff" in row
        assert ("begins when he signs in" in row) == (count == 1)


def test_an_unknown_user_is_bad_news(known):
    done = waymark("user", "nobody", "-C", known)
    assert done.code == 1 and "nobody" in done.err and done.out == ""


def test_no_user_id_is_wrong_usage(known):
    assert waymark("user", "a\x07", "-C", known).code == 2
    assert waymark("user", "", "-C", known).code == 2


def test_redis_away(workspace):
    (workspace / "waymark.yaml").write_text('redis: { address: "/nowhere/redis" }\n')
    done = waymark("user", "u1", "-C", workspace)
    assert done.code == 3 and done.err and done.out == ""
