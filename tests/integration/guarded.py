"""A broker that asks everybody who he is: TLS and SASL for clients, and the rights that the guide's kafka-acls lines give.
The harness itself comes in by the plain listener, where all is allowed."""
import shlex
import socket
import struct
import subprocess

from waymark_testlib.kafka import Broker
from waymark_testlib.process import free_ports

OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Alter": 7, "Describe": 8, "DescribeConfigs": 10,
              "AlterConfigs": 11}
RESOURCES = {"--topic": 2, "--group": 3, "--cluster": 4, "--transactional-id": 5}
LITERAL, PREFIXED, ALLOW, CREATE_ACLS = 3, 4, 3, 30


class GuardedBroker(Broker):
    def __init__(self, folder, users):
        self.users = users
        (self.client_port,) = free_ports(1)
        self.clients = f"127.0.0.1:{self.client_port}"
        super().__init__(folder)

    def password(self, user):
        return f"secret of {user}"

    def _format(self, settings):
        self.certificate = self.folder / "broker.pem"
        store = self.folder / "broker.p12"
        keytool = ["keytool", "-keystore", store, "-storepass", "changeit", "-alias", "broker"]
        subprocess.run([*keytool, "-genkeypair", "-keyalg", "RSA", "-dname", "CN=broker", "-ext", "SAN=ip:127.0.0.1",
                        "-validity", "10"], check=True, capture_output=True, timeout=60)
        subprocess.run([*keytool, "-exportcert", "-rfc", "-file", self.certificate], check=True, capture_output=True,
                       timeout=60)
        known = " ".join(f'user_{user}="{self.password(user)}"' for user in self.users)
        listener = "listener.name.clients"
        super()._format({
            **settings,
            "listeners": f"BROKER://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port},CLIENTS://{self.clients}",
            "advertised.listeners": f"BROKER://127.0.0.1:{self.port},CLIENTS://{self.clients}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENTS:SASL_SSL",
            f"{listener}.sasl.enabled.mechanisms": "PLAIN",
            f"{listener}.plain.sasl.jaas.config":
                f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};",
            f"{listener}.ssl.keystore.location": store, f"{listener}.ssl.keystore.password": "changeit",
            f"{listener}.ssl.keystore.type": "PKCS12",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS"})

    def properties_of(self, user):
        """What a client of this user sets; the password comes from the environment."""
        return {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": user,
                "sasl.password": "${KAFKA_PASSWORD}", "ssl.ca.location": str(self.certificate)}

    def allow(self, line):
        """One line 'kafka-acls --add ...'."""
        words = shlex.split(line.replace("--cluster", "--cluster kafka-cluster"))
        assert words[:2] == ["kafka-acls", "--add"], line
        pairs = list(zip(words[2::2], words[3::2]))
        given = dict(pairs)
        pattern = PREFIXED if given.get("--resource-pattern-type") == "prefixed" else LITERAL
        bindings = [(RESOURCES[option], name, pattern, given["--allow-principal"], OPERATIONS[operation])
                    for option, name in pairs if option in RESOURCES
                    for operation in (value for other, value in pairs if other == "--operation")]
        assert bindings, line
        self._create_acls(bindings)

    def _create_acls(self, bindings):
        """The Python client has no call for it: CreateAcls, version 1, by hand."""
        def text(value):
            return struct.pack(">h", len(value)) + value.encode()
        body = struct.pack(">hhih", CREATE_ACLS, 1, 1, -1) + struct.pack(">i", len(bindings))
        for resource, name, pattern, principal, operation in bindings:
            body += struct.pack(">b", resource) + text(name) + struct.pack(">b", pattern) + text(principal) + text("*")
            body += struct.pack(">bb", operation, ALLOW)
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            stream = connection.makefile("rb")
            answer = stream.read(struct.unpack(">i", stream.read(4))[0])
        count, = struct.unpack_from(">i", answer, 8)
        at = 12
        for _ in range(count):
            code, size = struct.unpack_from(">hh", answer, at)
            at += 4 + max(size, 0)
            assert code == 0, answer
