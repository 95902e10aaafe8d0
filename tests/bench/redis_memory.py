#!/usr/bin/python3
"""What a user takes in Redis, by the size of his register and his roles: the table of deploy/guide/deployment.md."""
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib" / "broker"))

from waymark_testlib.redis_server import Redis  # noqa: E402

ROWS = ((300, 1, 100000), (800, 3, 100000), (2000, 5, 100000), (10000, 10, 20000))  # bytes of the register, roles, users


def register(user, size):
    bare = json.dumps({"v": 1, "user": user, "pad": ""}, separators=(",", ":"))
    return bare[:-2] + "x" * (size - len(bare)) + bare[-2:]


def fill(client, size, roles, users):
    names = [f"certified-partner-{number}" for number in range(roles)]
    pipeline = client.pipeline(transaction=False)
    for number in range(users):
        user = f"user-{number:06d}"
        pipeline.hset(f"wm:{{{user}}}:user", mapping={"gen": 1, "at": number, "register": register(user, size)})
        pipeline.sadd(f"wm:{{{user}}}:roles", *names)
        if number % 2000 == 1999:
            pipeline.execute()
    pipeline.execute()


def main():
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(folder).start()
        client = redis.client()
        print("Redis", client.info()["redis_version"], client.info()["mem_allocator"])
        for size, roles, users in ROWS:
            client.flushall()
            before = client.info("memory")["used_memory"]
            fill(client, size, roles, users)
            memory = client.info("memory")
            print(f"{size} bytes, {roles} roles: {(memory['used_memory'] - before) / users:.0f} bytes a user, resident "
                  f"{memory['used_memory_rss'] / memory['used_memory']:.2f} times that")
        redis.stop()


if __name__ == "__main__":
    main()
