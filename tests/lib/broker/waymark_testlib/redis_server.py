"""A private Redis that can be killed, restarted on its port, and emptied."""
import pathlib

import redis

from .process import free_ports, spawn, stop, tail, wait_until


class Redis:
    def __init__(self, folder, *options, append_only=False):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        self.options = options
        self.append_only = append_only
        self.log = self.folder / "redis.log"
        self.process = None

    def start(self):
        self.process = spawn(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder),
             "--save", "", "--appendonly", "yes" if self.append_only else "no", "--appendfsync", "everysec",
             *self.options], self.log)
        try:
            wait_until(self._answers, what="Redis", alive=[self.process])
        except AssertionError:
            print(tail(self.log))
            raise
        return self

    def client(self, **more):
        return redis.Redis(host="127.0.0.1", port=self.port, decode_responses=True, socket_timeout=60, **more)

    def _answers(self):
        try:
            return self.client().ping()
        except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError):
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        if self.process:
            stop(self.process)
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def flush(self):
        self.client().flushall()
