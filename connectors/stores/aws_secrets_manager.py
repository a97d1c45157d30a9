"""AWS Secrets Manager. A reference is `<region>/<secret id>`, or the secret's ARN.

The connector's identity is what boto3 finds where it runs: the role of the task, the instance or the service account.
Source: the API "GetSecretValue", 2017-10-17.
"""

from __future__ import annotations

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from connectors.contract.errors import (
    CredentialsRejected,
    Misconfigured,
    NotPermitted,
    TargetError,
    TargetMissing,
    Unreachable,
)
from connectors.contract.provider import Run

CONNECT_SECONDS, READ_SECONDS = 5.0, 15.0
PERMISSION = "The connector's role needs secretsmanager:GetSecretValue on it, and kms:Decrypt on its key."
REJECTED = {"UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "InvalidSignatureException"}
DENIED = {"AccessDeniedException", "AccessDenied"}


class SecretsManager:
    """Reads the current version of a secret."""

    def read(self, reference: str, run: Run) -> str:
        """Return the secret's text."""
        region, name = _parts(reference)
        left = run.remaining()
        # One try: whoever asked tries again, and the lease is asked before.
        limits = Config(
            connect_timeout=min(CONNECT_SECONDS, left),
            read_timeout=min(READ_SECONDS, left),
            retries={"total_max_attempts": 1},
        )
        try:
            client = boto3.session.Session().client("secretsmanager", region_name=region, config=limits)
            answer = client.get_secret_value(SecretId=name)
        except NoCredentialsError as error:
            raise Misconfigured("This machine has no identity at AWS.", fix="Give it a role.") from error
        except ClientError as error:
            raise _typed(error.response.get("Error", {}).get("Code", "")) from error
        except BotoCoreError as error:
            raise Unreachable(f"AWS did not answer ({type(error).__name__}).") from error
        if "SecretString" not in answer:
            raise Misconfigured("The secret is binary; a text is needed.")
        return str(answer["SecretString"])


def _parts(reference: str) -> tuple[str, str]:
    """Return region and id."""
    if reference.startswith("arn:"):
        parts = reference.split(":", 6)
        if len(parts) == 7 and parts[2] == "secretsmanager" and parts[3]:
            return parts[3], reference
    else:
        region, _, name = reference.partition("/")
        if region and name:
            return region, name
    raise Misconfigured(f"{reference!r} is not of the form <region>/<secret id>, and no ARN of a secret.")


def _typed(code: str) -> TargetError:
    """Return the typed error for an error code of AWS."""
    if code in REJECTED:
        return CredentialsRejected(f"AWS does not accept the connector's identity ({code}).")
    if code in DENIED:
        return NotPermitted("AWS forbids it.", fix=PERMISSION)
    if code == "ResourceNotFoundException":
        return TargetMissing("There is no such secret in this region, or it has no current version.")
    if code in {"InvalidRequestException", "InvalidParameterException", "DecryptionFailure"}:
        return Misconfigured(f"AWS cannot give the secret ({code}): it is being deleted, or its key cannot be used.")
    return Unreachable(f"AWS answered with {code or 'an error'}.")


STORE = SecretsManager()
