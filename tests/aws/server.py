"""Starts the server, with an admin, and a connector that has the rights of the set-up files and no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import requests
from botocore.client import BaseClient
from botocore.config import Config

from tests.targets import free_port

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "123456789012"
REGION = "eu-west-1"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/latchkey-boundary"
# Calls that nobody has to be allowed: the admin has to come from somewhere.
UNASKED = 3
LOADER = botocore.loaders.create_loader()
# What would lead boto elsewhere than where a test wants it.
FOREIGN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_SESSION_TOKEN")

Keys = Mapping[str, str]


class AWS:
    """A private AWS. `environment` is what a connector has to run with to be the role that the set-up makes."""

    def __init__(self, port: int, clock: Path) -> None:
        """Nobody is in yet."""
        self._clock = clock
        self.address = f"http://127.0.0.1:{port}"
        self.admin: Keys = {}
        self.environment: dict[str, str] = {}

    def client(self, service: str, keys: Keys | None = None, region: str = REGION) -> BaseClient:
        """Return a client with the admin's keys, or others."""
        keys = self.admin if keys is None else keys
        session = botocore.session.Session()
        session.register_component("data_loader", LOADER)
        session.set_credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return session.create_client(service, region_name=region, endpoint_url=self.address, config=config)

    @contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        """Let it be so much later for whoever asks for something, for the length of a block."""
        self._clock.write_text(str(seconds))
        try:
            yield
        finally:
            self._clock.write_text("0")

    def set_up(self) -> None:
        """Make the admin."""
        anybody = {"AccessKeyId": "AKIAANYBODYANYBODYAN", "SecretAccessKey": "x"}
        iam: Any = self.client("iam", anybody)
        iam.create_user(UserName="admin")
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=json.dumps(document))
        self.admin = iam.create_access_key(UserName="admin")["AccessKey"]

    def make_connector(self, *policies: Path, boundary: Path | None = None) -> None:
        """Run the set-up files as an admin would, and be the connector's role from then on."""
        iam: Any = self.client("iam")
        if boundary is not None:
            iam.create_policy(PolicyName="latchkey-boundary", PolicyDocument=boundary.read_text())
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        }
        role = iam.create_role(RoleName="latchkey-connector", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        for path in policies:
            made = iam.create_policy(PolicyName=f"latchkey-{path.stem}", PolicyDocument=path.read_text())
            iam.attach_role_policy(RoleName="latchkey-connector", PolicyArn=made["Policy"]["Arn"])
        self.become(role["Arn"])

    def become(self, role: str) -> None:
        """Let the connector be a role."""
        sts: Any = self.client("sts")
        keys = sts.assume_role(RoleArn=role, RoleSessionName="connector")["Credentials"]
        self.environment = {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def running() -> Iterator[AWS]:
    """Run a private server for the length of a block."""
    port = free_port()
    with tempfile.TemporaryFile() as log, tempfile.NamedTemporaryFile("w", suffix=".clock") as clock:
        environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNASKED), "STRICT_CLOCK": clock.name}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.aws.strict", str(port)], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            aws = AWS(port, Path(clock.name))
            _wait(aws, process)
            aws.set_up()
            yield aws
        finally:
            process.kill()
            process.wait()
            log.seek(0)
            if "Traceback" in (said := log.read().decode(errors="replace")):
                sys.stderr.write(said[said.index("Traceback") :])


def _wait(aws: AWS, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            requests.get(f"{aws.address}/moto-api/", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"moto's server did not start (it returned {process.poll()}).")


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Let this process run with these variables, as a connector there would."""
    before = {name: os.environ.get(name) for name in {*values, *FOREIGN}}
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
