"""Settings whose value lies in Systems Manager's Parameter Store on AWS, encrypted."""

from __future__ import annotations

from miyabi.settings import SettingsError

SSM = "ssm:"
"""Begins a value that is the name of such a parameter."""


def read_parameter(variable: str, name: str) -> str:
    """The value of the SecureString ``name`` that ``variable`` names. Raises ``SettingsError``."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ModuleNotFoundError as error:
        raise SettingsError(f"{variable}: `ssm:` needs {error.name}; install `miyabi[aws]`.") from None
    try:
        found = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(f"{variable}: the parameter `{name}` can't be read: {error}.") from None
    return str(found["Parameter"]["Value"])
