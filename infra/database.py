"""Service 6, the database: the two tables, as ``miyabi tables create`` makes them."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.service import Service
from miyabi.database.dynamodb_reads import KEYS
from miyabi.database.dynamodb_tables import INCLUDED, TTL_ATTRIBUTE
from miyabi.deployment import Deployment

STRING, NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
BUSY_PERCENT = 70
"""Auto scaling raises units when more than this of them is used."""


class Database(Service):
    """Encrypted, recoverable to any second of the last 35 days, protected from deletion."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "database", settings, "the tables of tasks and projects")
        self.tasks = self._table("tasks", "task_id", sort="timestamp", ttl=TTL_ATTRIBUTE)
        for index, (partition, sort) in KEYS.items():
            self._index(index, partition, sort)
        self.projects = self._table("projects", "project_id")
        if settings.capacity == "provisioned" and settings.most_units:
            self._scale()

    @property
    def _provisioned(self) -> bool:
        return self.settings.capacity == "provisioned"

    def _table(self, name: str, partition: str, sort: str | None = None, ttl: str | None = None) -> dynamodb.Table:
        billing = dynamodb.BillingMode
        return dynamodb.Table(
            self,
            name.capitalize(),
            table_name=self.name(name),
            partition_key=dynamodb.Attribute(name=partition, type=STRING),
            sort_key=dynamodb.Attribute(name=sort, type=NUMBER) if sort else None,
            billing_mode=billing.PROVISIONED if self._provisioned else billing.PAY_PER_REQUEST,
            read_capacity=self.settings.read_units if self._provisioned else None,
            write_capacity=self.settings.write_units if self._provisioned else None,
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True,
                recovery_period_in_days=self.settings.point_in_time_days,
            ),
            time_to_live_attribute=ttl,
            deletion_protection=self.keeping == RemovalPolicy.RETAIN,
            removal_policy=self.keeping,
        )

    def _index(self, name: str, partition: str, sort: str) -> None:
        included = list(INCLUDED[name])  # type: ignore[index]
        projected = dynamodb.ProjectionType
        self.tasks.add_global_secondary_index(
            index_name=name,
            partition_key=dynamodb.Attribute(name=partition, type=STRING),
            sort_key=dynamodb.Attribute(name=sort, type=STRING),
            projection_type=projected.INCLUDE if included else projected.KEYS_ONLY,
            non_key_attributes=included or None,
            read_capacity=self.settings.read_units if self._provisioned else None,
            write_capacity=self.settings.write_units if self._provisioned else None,
        )

    def _scale(self) -> None:
        reads = {"min_capacity": self.settings.read_units, "max_capacity": self.settings.most_units}
        writes = {"min_capacity": self.settings.write_units, "max_capacity": self.settings.most_units}
        scaled = [table.auto_scale_read_capacity(**reads) for table in (self.tasks, self.projects)]
        scaled += [table.auto_scale_write_capacity(**writes) for table in (self.tasks, self.projects)]
        scaled += [self.tasks.auto_scale_global_secondary_index_read_capacity(index, **reads) for index in KEYS]
        scaled += [self.tasks.auto_scale_global_secondary_index_write_capacity(index, **writes) for index in KEYS]
        for one in scaled:
            one.scale_on_utilization(target_utilization_percent=BUSY_PERCENT)
