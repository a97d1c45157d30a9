"""An AWS account of its own for connectors.vet.live: moto's server with IAM enforced (see tests.aws.strict)."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from connectors.contract.orders import Person, Unit
from connectors.registry import PROVIDERS
from tests.aws.server import ACCOUNT, AWS, REGION, Keys, environment, running

SETUP = PROVIDERS / "aws-account" / "setup"
HERE = f"{REGION}:{ACCOUNT}"
GROUP = f"arn:aws:iam::{ACCOUNT}:group/latchkey/notified"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/auditors"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/lists-queues"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1111"
PROVES_NOTHING = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "AuthFailure"}
SHUT_OUT = {"InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "InvalidToken"}


class GranteeSession:
    """A temporary session of the grantee: it goes on without the key that it was begun with."""

    def __init__(self, use: Callable[[], bool]) -> None:
        self._use = use

    def alive(self) -> bool:
        """Use it."""
        return self._use()

    def close(self) -> None:
        """It runs out by itself."""


class AccountLive:
    """An account with one of everything."""

    def __init__(self, aws: AWS) -> None:
        self.aws = aws
        self.config = {"region": REGION, "profile": "", "tag_keys": "env", "offers_all": "true"}
        self.secrets: dict[str, str] = {}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com", "ada.live"))
        self.instance = self.repository = self.secret = ""
        self._furnish()
        self.units = (
            Unit("iam-group", GROUP, "ATTACH"),
            Unit("s3-bucket", "arn:aws:s3:::shop-orders", "READ_WRITE"),
            Unit("s3-bucket", "arn:aws:s3:::shop-archive", "READ_ONLY"),
            Unit("dynamodb-table", f"arn:aws:dynamodb:{HERE}:table/stock", "READ_WRITE"),
            Unit("secret", self.secret, "READ_ONLY"),
            Unit("sns-topic", f"arn:aws:sns:{HERE}:alarms", "READ_WRITE"),
            Unit("sqs-queue", f"arn:aws:sqs:{HERE}:jobs", "READ_WRITE"),
            Unit("ecr-repository", f"arn:aws:ecr:{HERE}:repository/shop/web", "READ_ONLY"),
            Unit("ec2-instance", f"arn:aws:ec2:{HERE}:instance/{self.instance}", "CONNECT"),
            Unit("iam-role", ROLE, "ATTACH"),
            Unit("iam-policy", POLICY, "ATTACH"),
        )

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Do the one thing that this unit permits and no other."""
        keys = {"AccessKeyId": credentials["access_key_id"], "SecretAccessKey": credentials["secret_access_key"]}
        return self.works(unit, keys)

    def works(self, unit: Unit, keys: Keys) -> bool:
        """Say whether these keys can do what a unit permits. Raises for an error that is no refusal."""
        try:
            self._use(unit, keys)
        except ClientError as error:
            if error.response["Error"]["Code"] in PROVES_NOTHING | SHUT_OUT:
                return False
            raise
        return True

    def snapshot(self) -> object:
        """Return what IAM says of users, groups, policies and roles, and which shells are open."""
        iam: Any = self.aws.client("iam")
        found = iam.get_account_authorization_details(
            Filter=["User", "Group", "Role", "LocalManagedPolicy"], MaxItems=1000
        )
        for role in found["RoleDetailList"]:
            role.pop("RoleLastUsed", None)  # the connector's own is used all the time
        keys = {
            user["UserName"]: sorted(
                key["AccessKeyId"] for key in iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
            )
            for user in found["UserDetailList"]
        }
        ssm: Any = self.aws.client("ssm")
        parts = [found[name] for name in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")]
        return json.loads(json.dumps([parts, keys, ssm.describe_sessions(State="Active")["Sessions"]], default=str))

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> GranteeSession:
        """Begin a session, that has keys of its own."""
        keys = {"AccessKeyId": credentials["access_key_id"], "SecretAccessKey": credentials["secret_access_key"]}
        sts: Any = self.aws.client("sts", keys)
        own = sts.get_session_token()["Credentials"]
        return GranteeSession(lambda: self.works(unit, own))

    def give_standing(self, unit: Unit) -> bool:
        """Make a user of the person's own in the group."""
        iam: Any = self.aws.client("iam")
        iam.create_user(UserName="ada.live")
        iam.add_user_to_group(UserName="ada.live", GroupName=unit.resource.rpartition("/")[2])
        return True

    def take_standing(self, unit: Unit) -> None:
        """Delete the user."""
        iam: Any = self.aws.client("iam")
        iam.remove_user_from_group(UserName="ada.live", GroupName=unit.resource.rpartition("/")[2])
        iam.delete_user(UserName="ada.live")

    def _use(self, unit: Unit, keys: Keys) -> None:
        """Make the one call."""
        name, writes = unit.resource.rpartition(":")[2], unit.permission != "READ_ONLY"
        call: Any = self.aws.client(SERVICES[unit.resource_type], keys)
        match unit.resource_type:
            case "iam-group":
                call.list_subscriptions()
            case "iam-policy":
                call.list_queues()
            case "iam-role":
                call.assume_role(RoleArn=unit.resource, RoleSessionName="ada")
            case "s3-bucket" if writes:
                call.put_object(Bucket=name, Key="a/b", Body=b"x")
            case "s3-bucket":
                call.list_objects_v2(Bucket=name)
            case "dynamodb-table":
                call.put_item(TableName=name.rpartition("/")[2], Item={"id": {"S": str(time.time())}})
            case "secret":
                call.get_secret_value(SecretId=unit.resource)
            case "sns-topic":
                call.publish(TopicArn=unit.resource, Message="hello")
            case "sqs-queue":
                call.send_message(QueueUrl=f"{self.aws.address}/{ACCOUNT}/{name}", MessageBody="hello")
            case "ecr-repository":
                call.list_images(repositoryName=name.partition("/")[2])
            case "ec2-instance":
                call.start_session(Target=name.partition("/")[2])

    def _furnish(self) -> None:
        """Make what can be asked for."""
        aws = self.aws
        iam: Any = aws.client("iam")
        iam.create_group(GroupName="notified", Path="/latchkey/")
        iam.put_group_policy(GroupName="notified", PolicyName="topics", PolicyDocument=_allow("sns:ListSubscriptions"))
        iam.create_group(GroupName="admins")
        iam.create_policy(PolicyName="lists-queues", PolicyDocument=_allow("sqs:ListQueues"))
        for role, tags in (("auditors", [{"Key": "latchkey:grantable", "Value": "true"}]), ("operators", [])):
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=_trust("AWS", ACCOUNT), Tags=tags)
        iam.create_role(RoleName="machines", AssumeRolePolicyDocument=_trust("Service", "ec2.amazonaws.com"))
        s3: Any = aws.client("s3")
        for bucket in ("shop-orders", "shop-archive"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        kms: Any = aws.client("kms")
        self.key = kms.create_key(Description="orders")["KeyMetadata"]["Arn"]
        way = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.key}}
        s3.put_bucket_encryption(Bucket="shop-orders", ServerSideEncryptionConfiguration={"Rules": [way]})
        dynamodb: Any = aws.client("dynamodb")
        dynamodb.create_table(
            TableName="stock",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=[{"Key": "env", "Value": "prod"}],
        )
        self._furnish_more()

    def _furnish_more(self) -> None:
        """Make the rest."""
        secrets: Any = self.aws.client("secretsmanager")
        tags = [{"Key": "env", "Value": "prod"}]
        self.secret = secrets.create_secret(Name="shop/payments", SecretString="s3cret", Tags=tags)["ARN"]
        self.other_secret = secrets.create_secret(Name="shop/tests", SecretString="x")["ARN"]
        sns: Any = self.aws.client("sns")
        sns.create_topic(Name="alarms")
        sqs: Any = self.aws.client("sqs")
        sqs.create_queue(QueueName="jobs")
        ecr: Any = self.aws.client("ecr")
        ecr.create_repository(repositoryName="shop/web")
        ec2: Any = self.aws.client("ec2")
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro")
        self.instance = made["Instances"][0]["InstanceId"]


SERVICES = {
    "iam-group": "sns",
    "iam-policy": "sqs",
    "iam-role": "sts",
    "s3-bucket": "s3",
    "dynamodb-table": "dynamodb",
    "secret": "secretsmanager",
    "sns-topic": "sns",
    "sqs-queue": "sqs",
    "ecr-repository": "ecr",
    "ec2-instance": "ssm",
}


def _allow(action: str) -> str:
    """Return a policy that allows one action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _trust(kind: str, who: str) -> str:
    """Return who may assume a role."""
    name = f"arn:aws:iam::{who}:root" if kind == "AWS" else who
    statement = {"Effect": "Allow", "Principal": {kind: name}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def missing() -> str:
    """Return why there can be no AWS."""
    return "" if importlib.util.find_spec("moto") is not None else "moto's server is not installed"


@contextmanager
def live() -> Iterator[AccountLive]:
    """Start an account, and be a connector that has the rights of the set-up files and no others."""
    with running() as aws:
        found = AccountLive(aws)
        aws.make_connector(SETUP / "2_connector.json", boundary=SETUP / "1_boundary.json")
        with environment(aws.environment):
            yield found
