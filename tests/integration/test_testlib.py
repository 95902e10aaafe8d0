"""The tools of these tests, tested: a judge that is wrong is worse than none."""
import signal
import subprocess
import sys
import threading
import time
import uuid

import pytest
from confluent_kafka import KafkaException, Producer

from waymark_testlib.kafka import Sender, home, murmur2
from waymark_testlib.process import stop, wait_until


def transactional(broker):
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": str(uuid.uuid4()),
                         "transaction.timeout.ms": 600000})
    for _ in range(20):
        try:
            producer.init_transactions(10)
            return producer
        except KafkaException as error:
            if not error.args[0].retriable():
                raise
            time.sleep(0.2)
    raise AssertionError("no transactional producer")


# The values of Kafka's own UtilsTest.testMurmur2.
@pytest.mark.parametrize("data, hash", [
    (b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971), (b"abc", 479470107),
])
def test_murmur2_is_that_of_java_clients(data, hash):
    assert murmur2(data) == hash & 0xFFFFFFFF


def test_librdkafka_agrees_about_the_home_of_a_user(broker):
    topic = str(uuid.uuid4())
    broker.create_topics([topic], 7)
    users = [f"user-{number}" for number in range(50)] + ["ü", "漢字", "a" * 256]
    producer = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random"})
    for user in users:
        producer.produce(topic, key=user.encode())
    producer.flush()
    records = broker.read(topic)
    assert len(records) == len(users)
    assert all(record.partition == home(record.key, 7) for record in records)


def test_a_reader_skips_aborted_data_and_reads_to_the_end(broker):
    topic = str(uuid.uuid4())
    broker.create_topics([topic], 2)
    producer = transactional(broker)
    for value, commit in [(b"aborted", False), (b"one", True), (b"aborted", False), (b"two", True), (b"aborted", False)]:
        producer.begin_transaction()
        producer.produce(topic, value, partition=1, headers=[("h", b"\x00\xff")])
        producer.flush()
        producer.commit_transaction(10) if commit else producer.abort_transaction(10)
    records = broker.read(topic)
    assert [record.value for record in records] == [b"one", b"two"]
    assert records[0].header("h") == b"\x00\xff"
    assert len(broker.read(topic, isolation="read_uncommitted")) == 5
    wait_until(lambda: broker.ends(topic)[topic, 1] == 10, what="the last marker")
    assert broker.read(topic) == records


def test_a_reader_waits_for_an_open_transaction(broker):
    topic = str(uuid.uuid4())
    broker.create_topics([topic], 1)
    producer = transactional(broker)
    producer.begin_transaction()
    producer.produce(topic, b"open", partition=0)
    producer.flush()
    assert broker.ends(topic)[topic, 0] == 1 and broker.stable_ends(topic)[topic, 0] == 0
    with pytest.raises(AssertionError, match="not read to the end"):
        broker.read(topic, timeout=0.5)
    threading.Timer(0.5, producer.abort_transaction, [60]).start()
    assert broker.read(topic) == []


def test_a_record_arrives_byte_for_byte(broker):
    topic = str(uuid.uuid4())
    broker.create_topics([topic], 3)
    sender = Sender(broker, 3)
    headers = [("a", b"1"), ("a", b"2"), ("empty", b""), ("null", None), ("bytes", bytes(range(256)))]
    sender.raw(topic, bytes(range(256)), b"\x00key", headers, partition=2, timestamp=1234567890123)
    sender.raw(topic, None, b"tombstone", partition=1)
    sender.raw(topic, b"x" * 3_000_000, partition=0)
    sender.flush()
    large, tombstone, record = broker.read(topic)
    assert (record.key, record.value, list(record.headers)) == (b"\x00key", bytes(range(256)), headers)
    assert record.timestamp == 1234567890123
    assert tombstone.value is None and len(large.value) == 3_000_000


def test_redis_forgets_or_remembers_over_a_kill(own_redis, tmp_path):
    own_redis.client().set("a", 1)
    own_redis.kill()
    own_redis.start()
    assert own_redis.client().get("a") is None
    own_redis.client().set("b", 1)
    own_redis.flush()
    assert own_redis.client().get("b") is None
    assert own_redis.client().config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_child_dies_with_the_test_run(tmp_path):
    script = ("import sys, time; sys.path.insert(0, sys.argv[1]); from waymark_testlib.process import spawn; "
              "print(spawn(['sleep', '60'], sys.argv[2]).pid, flush=True); time.sleep(60)")
    folder = next(path for path in sys.path if path.endswith("broker"))
    parent = subprocess.Popen([sys.executable, "-c", script, folder, str(tmp_path / "log")],
                              stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    stop(parent, signal.SIGKILL)

    def gone():
        try:
            with open(f"/proc/{child}/stat", encoding="ascii") as file:
                return file.read().split()[2] == "Z"
        except OSError:
            return True

    wait_until(gone)
