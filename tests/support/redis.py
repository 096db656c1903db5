"""Real Redis servers in processes of their own: one, one with a password, or three that are a cluster."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import redis
import trustme
from redis.cluster import RedisCluster

READY_SECONDS = 20.0
SLOTS = 16384


class RedisServer:
    """A ``redis-server`` on a free port of 127.0.0.1 that keeps nothing on disk."""

    def __init__(
        self,
        *options: str,
        password: str | None = None,
        cluster: bool = False,
        tls: bool = False,
        authority: trustme.CA | None = None,
    ) -> None:
        command = shutil.which("redis-server")
        assert command, "redis-server is not installed; on Debian: apt-get install redis-server"
        self._folder = tempfile.TemporaryDirectory(prefix="miyabi-redis-")
        self.port = free_port()
        self.password = password
        self._ca = self._certificate(authority or trustme.CA()) if tls else None
        port = ["--port", "0", "--tls-port", str(self.port)] if tls else ["--port", str(self.port)]
        self._command = [command, *port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._command += ["--dir", self._folder.name, "--logfile", "redis.log", *options]
        if tls:
            folder = Path(self._folder.name)
            self._command += ["--tls-cert-file", str(folder / "cert.pem"), "--tls-key-file", str(folder / "key.pem")]
            self._command += ["--tls-ca-cert-file", str(self._ca), "--tls-auth-clients", "no"]
        if password:
            self._command += ["--requirepass", password]
        if cluster:
            self._command += ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
            self._command += ["--cluster-port", str(free_port()), *(["--tls-cluster", "yes"] if tls else [])]
        self.process = self._launch()

    @property
    def url(self) -> str:
        """Its address as the settings name it."""
        user = f":{quote(self.password, safe='')}@" if self.password else ""
        if self._ca:
            return f"rediss://{user}127.0.0.1:{self.port}?ssl_ca_certs={self._ca}"
        return f"redis://{user}127.0.0.1:{self.port}"

    @property
    def client(self) -> redis.Redis:
        """A client beside the one that is tested."""
        return redis.Redis.from_url(self.url)

    @cached_property
    def admin(self) -> redis.Redis:
        """One connection that stays, whatever becomes of others."""
        return redis.Redis.from_url(self.url, single_connection_client=True)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again, empty, on the same port."""
        self.process = self._launch()

    def freeze(self) -> None:
        """It answers nothing any more, and its connections stay."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it whatever its state."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if "admin" in self.__dict__:
            self.admin.close()
        self._folder.cleanup()

    def _certificate(self, authority: trustme.CA) -> Path:
        """The file of who signed the server's certificate."""
        folder = Path(self._folder.name)
        signed = authority.issue_cert("127.0.0.1")
        signed.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        signed.private_key_pem.write_to_path(folder / "key.pem")
        authority.cert_pem.write_to_path(folder / "ca.pem")
        return folder / "ca.pem"

    def _launch(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(self._answers, lambda: (Path(self._folder.name) / "redis.log").read_text()[-2000:])
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process

    def _answers(self) -> bool:
        with self.client as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


class RedisServers:
    """Three nodes that are a cluster."""

    def __init__(self, password: str | None = None, tls: bool = False) -> None:
        authority = trustme.CA() if tls else None
        with ExitStack() as stack:
            self.nodes = [RedisServer(password=password, cluster=True, tls=tls, authority=authority) for _ in range(3)]
            for node in self.nodes:
                stack.callback(node.close)
            self._join(self.nodes)
            self._stack = stack.pop_all()

    @property
    def url(self) -> str:
        """The cluster's address as the settings name it."""
        first = self.nodes[0].url
        return f"{first}{'&' if '?' in first else '?'}cluster=yes"

    @property
    def client(self) -> RedisCluster:
        """A client beside the one that is tested."""
        return RedisCluster.from_url(self.nodes[0].url)

    def close(self) -> None:
        """End all nodes."""
        self._stack.close()

    def _join(self, nodes: Sequence[RedisServer]) -> None:
        first, share = nodes[0], SLOTS // len(nodes) + 1
        for place, node in enumerate(nodes):
            with node.client as client:
                slots = range(place * share, min(SLOTS, (place + 1) * share))
                client.execute_command("CLUSTER ADDSLOTS", *slots)
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", place + 1)
                if node is not first:
                    bus = _cluster_port(first)
                    client.execute_command("CLUSTER MEET", "127.0.0.1", first.port, bus)
        _wait(lambda: all(_is_whole(node, len(nodes)) for node in nodes), lambda: "the cluster does not come together")


def _cluster_port(node: RedisServer) -> int:
    command = node._command
    return int(command[command.index("--cluster-port") + 1])


def _is_whole(node: RedisServer, size: int) -> bool:
    with node.client as client:
        info = cast(dict[str, Any], client.execute_command("CLUSTER INFO"))
        return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == size


def _wait(done: Any, why: Any) -> None:
    end = time.monotonic() + READY_SECONDS
    while not done():
        assert time.monotonic() < end, why()
        time.sleep(0.01)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
