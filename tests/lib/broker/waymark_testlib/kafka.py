"""One Apache Kafka broker in KRaft mode, topics, and readers that respect transactions."""
import base64
import ctypes
import os
import pathlib
import socket
import struct
import subprocess
import time
import uuid
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from .process import free_ports, spawn, stop, tail, wait_until

VERSION = "4.1.1"
PASSING = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
           KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError._TIMED_OUT, KafkaError._TRANSPORT,
           KafkaError._ALL_BROKERS_DOWN)


def jars():
    cache = os.environ.get("WAYMARK_CACHE") or pathlib.Path.home() / ".cache" / "waymark"
    libs = pathlib.Path(cache) / f"kafka-{VERSION}"
    assert libs.is_dir(), "no Kafka jars: run tools/setup --tests"
    return libs


def murmur2(data):
    """The hash that Java clients choose partitions with."""
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    value = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        word = (word * multiplier) & mask
        word ^= word >> 24
        word = (word * multiplier) & mask
        value = ((value * multiplier) & mask) ^ word
    rest = data[whole:]
    if rest:
        value ^= int.from_bytes(rest, "little")
        value = (value * multiplier) & mask
    value ^= value >> 13
    value = (value * multiplier) & mask
    return value ^ (value >> 15)


def home(user, partitions):
    """The partition of a user's records."""
    if isinstance(user, str):
        user = user.encode()
    return (murmur2(user) & 0x7FFFFFFF) % partitions


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple = field(default=())
    timestamp: int = 0  # milliseconds

    def header(self, name):
        """The only value of a header; None when it is absent."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, f"header {name} stands {len(found)} times"
        return found[0] if found else None

    @staticmethod
    def of(message):
        headers = tuple(message.headers() or ())
        for _, value in headers:
            if value is None:  # confluent_kafka 1.7 gives it back once too often, and Python dies when none is left
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(None))
        return Record(message.topic(), message.partition(), message.offset(), message.key(), message.value(),
                      headers, message.timestamp()[1])


class Broker:
    """Starts on free ports; a restart keeps ports and data. 'settings' are properties of the broker."""

    def __init__(self, folder, settings=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "broker.log"
        self.port, self.controller_port = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.process = None
        self._format(settings or {})

    def _java(self, *arguments):
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
                "-cp", f"{jars()}/*", *map(str, arguments)]

    def _format(self, more):
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"BROKER://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"BROKER://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "delete.topic.enable": "true",
            "offsets.topic.num.partitions": 2,
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.num.partitions": 2,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # A restart takes as long; a broker that is kept from its controller for longer takes no topics.
            "broker.session.timeout.ms": 9000,
            "broker.heartbeat.interval.ms": 500,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            # An orphaned transaction of a killed worker ends soon after its time-out, not up to 10 s later.
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
            # Poison records are large, and events are older than any retention.
            "message.max.bytes": 8 << 20,
            "replica.fetch.max.bytes": 8 << 20,
            "log.retention.ms": -1,
            "log.segment.bytes": 64 << 20,
            "num.network.threads": 2,
            "num.io.threads": 2,
            "log.cleaner.threads": 1,
            "log.cleaner.dedupe.buffer.size": 4 << 20,
            **more,
        }
        self.properties = self.folder / "server.properties"
        self.properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        # Never with a dash in front, which would look like an option.
        cluster = base64.urlsafe_b64encode(b"w" + uuid.uuid4().bytes[1:]).rstrip(b"=").decode()
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", self.properties),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        self.process = spawn(self._java("kafka.Kafka", self.properties), self.log)
        try:
            wait_until(self._answers, timeout=240, what="the broker", alive=[self.process])
        except AssertionError:
            print(tail(self.log))
            raise
        return self

    def _answers(self):
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0, "logger": _silent})
        try:
            return bool(admin.list_topics(timeout=5).brokers)
        except KafkaException:
            return False

    def stop(self):
        if self.process:
            stop(self.process)
            self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    def admin(self):
        return AdminClient({"bootstrap.servers": self.bootstrap, "logger": _silent})

    def create_topics(self, names, partitions, **config):
        wanted = [NewTopic(name, partitions, 1, config={key.replace("_", "."): str(value)
                                                        for key, value in config.items()}) for name in names]
        admin = self.admin()  # held: its futures fail when it goes away
        for future in admin.create_topics(wanted, operation_timeout=60).values():
            future.result(90)
        self.wait_topics({name: partitions for name in names})

    def delete_records(self, topic, offsets):
        """What retention does: what stands before offsets[partition] is gone. In Kafka's protocol, since this client can't."""
        name = topic.encode()
        body = struct.pack(">hhihih", 21, 1, 1, -1, 1, len(name)) + name + struct.pack(">i", len(offsets))
        body += b"".join(struct.pack(">iq", partition, offset) for partition, offset in offsets.items()) + struct.pack(">i", 30000)
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            stream = connection.makefile("rb")
            answer = stream.read(struct.unpack(">i", stream.read(4))[0])
        results = answer[14 + len(name) + 4:]  # behind number, delay, one topic and its name, and how many there are
        for _, low, error in struct.iter_unpack(">iqh", results):
            assert error == 0, f"error {error} of DeleteRecords"

    def delete_topics(self, names):
        admin = self.admin()
        for future in admin.delete_topics(list(names), operation_timeout=60).values():
            future.result(90)
        self.wait_topics({name: None for name in names})

    def add_partitions(self, topic, total):
        admin = self.admin()
        for future in admin.create_partitions([NewPartitions(topic, total)]).values():
            future.result(90)
        self.wait_topics({topic: total})

    def wait_topics(self, wanted):
        """Until the broker tells what its controller has answered: so many partitions, or none."""
        wait_until(lambda: {name: self.topics().get(name) for name in wanted} == wanted, what=f"the topics {wanted}")

    def topics(self):
        """Name → number of partitions."""
        found = self._insist(lambda: self.admin().list_topics(timeout=10)).topics
        return {name: len(topic.partitions) for name, topic in found.items() if not name.startswith("__")}

    def _insist(self, ask):
        """What a broker answers that has just been started, or has much else to do, is asked for again."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return ask()
            except KafkaException as error:
                if not (error.args[0].retriable() or error.args[0].code() in PASSING) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def ends(self, *topics):
        """(topic, partition) → end of the log, data of open transactions included."""
        return self._marks(1, "read_uncommitted", topics)

    def begins(self, *topics):
        return self._marks(0, "read_uncommitted", topics)

    def stable_ends(self, *topics):
        """(topic, partition) → the first offset of an open transaction, else the end of the log."""
        return self._marks(1, "read_committed", topics)

    def _marks(self, which, isolation, topics):
        consumer = self._consumer(isolation)

        def mark(topic, partition):
            asked = TopicPartition(topic, partition)
            return self._insist(lambda: consumer.get_watermark_offsets(asked, timeout=20))[which]

        try:
            counts = self.topics()
            return {(topic, partition): mark(topic, partition) for topic in topics for partition in range(counts[topic])}
        finally:
            consumer.close()

    def committed(self, group, *topics):
        """(topic, partition) → committed offset of the group, None when there is none."""
        return self._insist(lambda: self._committed(group, topics))

    def _committed(self, group, topics):
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "logger": _silent})
        try:
            counts = self.topics()
            asked = [TopicPartition(topic, partition) for topic in topics for partition in range(counts[topic])]
            return {(answer.topic, answer.partition): answer.offset if answer.offset >= 0 else None
                    for answer in consumer.committed(asked, timeout=30)}
        finally:
            consumer.close()

    def _consumer(self, isolation, **more):
        return Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": "testlib-reader", "isolation.level": isolation,
            "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20, "fetch.error.backoff.ms": 20, "logger": _silent, **more})

    def read(self, *topics, isolation="read_committed", timeout=120):
        """All records up to the present end of each partition, waiting for transactions that are still open.

        Whole means: the end of each partition as an uncommitted reader sees it has been passed. Records of a
        partition stand in the order of their offsets; topics and partitions in the order of their names."""
        ends = {key: end for key, end in self.ends(*topics).items() if end > 0}
        if not ends:
            return []
        begins = self.begins(*topics)
        waiting = {key for key, end in ends.items() if end > begins[key]}
        consumer = self._consumer(isolation)
        records = []
        deadline = time.monotonic() + timeout
        try:
            consumer.assign([TopicPartition(topic, partition, begins[topic, partition])
                             for topic, partition in sorted(waiting)])
            while waiting:
                assert time.monotonic() < deadline, f"not read to the end: {sorted(waiting)}"
                for message in consumer.consume(500, timeout=0.1):
                    key = message.topic(), message.partition()
                    error = message.error()
                    if error is None:
                        records.append(Record.of(message))
                        if message.offset() + 1 >= ends[key]:
                            waiting.discard(key)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        if message.offset() >= ends[key]:
                            waiting.discard(key)
                    elif not error.retriable():
                        raise KafkaException(error)
        finally:
            consumer.close()
        records.sort(key=lambda record: (record.topic, record.partition, record.offset))
        return [record for record in records if record.offset < ends[record.topic, record.partition]]


class Sender:
    """Produces to explicit partitions and keeps order; flush() fails when anything was refused."""

    def __init__(self, broker, partitions, **config):
        self.partitions = partitions
        self.errors = []
        self.sent = 0
        self.producer = Producer({
            "bootstrap.servers": broker.bootstrap, "enable.idempotence": True, "linger.ms": 2,
            # With several on their way, librdkafka can lose count of them when a broker is restarted, and gives up.
            "max.in.flight.requests.per.connection": 1,
            "message.max.bytes": 8 << 20, "queue.buffering.max.messages": 1000000, "logger": _silent, **config})

    def _delivered(self, error, _):
        if error:
            self.errors.append(error)
        else:
            self.sent += 1

    def raw(self, topic, value, key=None, headers=(), partition=0, timestamp=0):
        while True:
            try:
                self.producer.produce(topic, value=value, key=key, headers=list(headers), partition=partition,
                                      timestamp=timestamp, on_delivery=self._delivered)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.producer.poll(0)

    def of_user(self, topic, user, value, headers=(), timestamp=0):
        """One record on the user's home partition, with the user id as key."""
        self.raw(topic, value, user.encode(), headers, home(user, self.partitions), timestamp)

    def flush(self, timeout=120):
        left = self.producer.flush(timeout)
        assert left == 0 and not self.errors, f"{left} records not sent, errors: {self.errors[:3]}"


class _Silent:
    """librdkafka reports every refused connection; the tests break connections on purpose."""

    def log(self, *_, **__):
        pass

    def filter(self, _):
        return True

    def handle(self, _):
        pass


_silent = _Silent()
