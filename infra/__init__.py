"""Miyabi on AWS: a CDK app, one stack a service, and what builds, uploads and deploys it."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
SETTINGS = HERE / "deployment.toml"
"""The deployment's own settings; ``deployment.example.toml`` shows them all."""
