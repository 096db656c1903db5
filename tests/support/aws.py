"""Miyabi deployed to AWS's stand-in: ministack and a real Redis beside it, all stacks by the pinned CDK, and the page.

The whole takes about a minute. ``Aws.client`` asks the stand-in; ``Aws.ask`` asks the board as a browser would, through
CloudFront.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import boto3
from tests.support.ministack import emulator
from tests.support.redis import RedisServer

ROOT = Path(__file__).parents[2]
CDK = ROOT / "infra" / "node_modules" / ".bin" / "cdk"
REGION = "us-east-1"
ACCOUNT = "000000000000"


class Answer(NamedTuple):
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Aws(NamedTuple):
    """A deployment on the stand-in."""

    url: str
    redis: str
    folder: Path
    key: str
    """An access key of this stand-in's own: the CDK remembers for each key which account it is of."""

    @property
    def environment(self) -> dict[str, str]:
        """For processes that are to ask the stand-in and never AWS."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MIYABI_"))}
        return {
            **ours,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "HOME": str(self.folder),
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        }

    @property
    def context(self) -> list[str]:
        """The CDK's context: that it is no AWS, and where things are."""
        return ["-c", f"emulator={self.url}", "-c", f"redis={self.redis}"]

    def client(self, service: str) -> Any:
        """A client of boto3."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key="test",
        )

    def shared(self, path: str) -> str:
        """What a stack told: ``web/domain``."""
        value: str = self.client("ssm").get_parameter(Name=f"/miyabi/{path}")["Parameter"]["Value"]
        return value

    def ask(self, path: str, method: str = "GET", scheme: str = "https", **headers: str) -> Answer:
        """Ask the page's address for ``path``, as if by ``scheme``."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=60)) as connection:
            sent = {"Host": self.shared("web/domain"), "X-Forwarded-Proto": scheme, **headers}
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())

    def run(self, *command: str) -> str:
        """Run a command with the stand-in as AWS; its output. Raises ``AssertionError`` with it when it fails."""
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout + done.stderr


@contextmanager
def stand_in() -> Iterator[Aws]:
    """ministack and Redis, empty but for what ``cdk bootstrap`` makes; both end with the block."""
    with tempfile.TemporaryDirectory(prefix="miyabi-aws-") as folder, closing(RedisServer()) as redis:
        where = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(redis.port)}
        with emulator(Path(folder), **where) as url:
            aws = Aws(url, redis.url, Path(folder), f"test{uuid4().hex[:12]}")
            subprocess.run(
                [str(CDK), "bootstrap", f"aws://{ACCOUNT}/{REGION}"],
                cwd=folder,
                env=aws.environment,
                check=True,
                capture_output=True,
                timeout=300,
            )
            yield aws


@contextmanager
def deployed(settings: Sequence[str] = ()) -> Iterator[Aws]:
    """Everything deployed with ``settings`` (``rate=5``), and the page uploaded; all of it ends with the stand-in."""
    with stand_in() as aws:
        given = [*aws.context, *(word for one in settings for word in ("-c", one))]
        aws.run(sys.executable, "-m", "infra.package", "--target", "host")
        aws.run(sys.executable, "-m", "infra.deploy", *given)
        yield aws


def destroy(aws: Aws, *, data: bool = False) -> None:
    """Take a deployment down, as ``make destroy`` does."""
    aws.run(sys.executable, "-m", "infra.destroy", *aws.context, *(["--delete-data"] if data else []))
