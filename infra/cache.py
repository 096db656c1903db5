"""Service 5, the cache: Redis 7 in the private network, one node or a cluster; IAM lets in, no password."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from constructs import Construct

from infra.network import REDIS_PORT, ZONES
from infra.service import Service, accept
from miyabi.deployment import Deployment

COMMANDS = "on ~* &* +@all -@admin -@dangerous +info"
"""What the functions' user may do: all that touches data and channels, nothing that manages the server."""
NOTHING = "off ~keys* -@all"
_ONE_NODE = "One node is what is asked for: all of the cache can be lost, and only speed is lost with it."
_IAM = "Users are known by IAM and by tokens of 15 minutes, which the user group demands; AUTH would be a password."
_PORT = "Only the functions' security group is let in, whatever the port."


class Cache(Service):
    """Encrypted in transit and at rest; open to the functions alone."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "cache", settings, "Redis")
        self.security_group = self._security_group()
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            cache_subnet_group_name=settings.prefix,
            description="The private subnets",
            subnet_ids=[self.shared(f"network/subnet-{number}") for number in range(1, ZONES + 1)],
        )
        self.redis = self._redis(subnets, self._users())
        clustered = settings.cache_nodes > 1
        redis = self.redis
        host = redis.attr_configuration_end_point_address if clustered else redis.attr_primary_end_point_address
        options = f"iam={group_name(settings)}" + ("&cluster=yes" if clustered else "")
        self.share("cache/url", f"rediss://{settings.prefix}@{host}:{REDIS_PORT}?{options}")

    def _security_group(self) -> ec2.CfnSecurityGroup:
        ingress = ec2.CfnSecurityGroup.IngressProperty(
            ip_protocol="tcp",
            from_port=REDIS_PORT,
            to_port=REDIS_PORT,
            source_security_group_id=self.shared("network/functions"),
            description="Redis of the functions",
        )
        return ec2.CfnSecurityGroup(
            self,
            "Redis group",
            group_description="Redis, open to the functions alone",
            vpc_id=self.shared("network/vpc"),
            security_group_ingress=[ingress],
        )

    def _users(self) -> elasticache.CfnUserGroup:
        """The functions' user, and Redis's default user, which must be named and is switched off."""
        prefix = self.settings.prefix
        functions = elasticache.CfnUser(
            self,
            "User",
            engine="redis",
            user_id=prefix,
            user_name=prefix,
            access_string=COMMANDS,
            authentication_mode={"Type": "iam"},
        )
        default = elasticache.CfnUser(
            self,
            "Default user",
            engine="redis",
            user_id=f"{prefix}-default",
            user_name="default",
            access_string=NOTHING,
            authentication_mode={"Type": "no-password-required"},
        )
        return elasticache.CfnUserGroup(
            self, "Users", engine="redis", user_group_id=prefix, user_ids=[functions.ref, default.ref]
        )

    def _redis(
        self, subnets: elasticache.CfnSubnetGroup, users: elasticache.CfnUserGroup
    ) -> elasticache.CfnReplicationGroup:
        shards, replicas = shape(self.settings.cache_nodes)
        clustered = self.settings.cache_nodes > 1
        redis = elasticache.CfnReplicationGroup(
            self,
            "Redis",
            replication_group_id=group_name(self.settings),
            replication_group_description="Miyabi's cache",
            engine="redis",
            engine_version="7.1",
            cache_node_type=self.settings.cache_node_type,
            cache_parameter_group_name="default.redis7.cluster.on" if clustered else "default.redis7",
            num_node_groups=shards,
            replicas_per_node_group=replicas,
            automatic_failover_enabled=clustered,
            multi_az_enabled=replicas > 0,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[self.security_group.attr_group_id],
            user_group_ids=[users.ref],
            transit_encryption_enabled=True,
            at_rest_encryption_enabled=True,
            auto_minor_version_upgrade=True,
            port=REDIS_PORT,
        )
        accept(redis, {"AEC5": _PORT, "AEC6": _IAM, **({} if replicas else {"AEC4": _ONE_NODE})})
        return redis


def group_name(settings: Deployment) -> str:
    """The replication group's name: another one for each kind, as one kind can't be changed into another in its place.

    CloudFormation makes the new group first and deletes the old one after, so they must not have the same name.
    """
    if settings.cache_nodes == 1:
        return settings.prefix
    return f"{settings.prefix}-{'pairs' if shape(settings.cache_nodes)[1] else 'shards'}"


def first_node(settings: Deployment) -> str:
    """The name of the node that metrics are shown of."""
    return f"{group_name(settings)}-001" if settings.cache_nodes == 1 else f"{group_name(settings)}-0001-001"


def shape(nodes: int) -> tuple[int, int]:
    """Shards, and replicas of each: an even number of nodes is pairs of primary and replica."""
    return (nodes // 2, 1) if nodes % 2 == 0 else (nodes, 0)
