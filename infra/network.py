"""The network: two private subnets without a NAT gateway. Nothing in it can be reached from outside."""

from __future__ import annotations

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.service import Service, accept
from miyabi.deployment import Deployment

ZONES = 2
CIDR = "10.42.0.0/16"
REDIS_PORT = 6379
_NO_FLOW_LOGS = "Only our own functions and Redis are in it, and the gateway logs every request."


class Network(Service):
    """Functions reach Redis inside, DynamoDB by a gateway endpoint, and CloudWatch Logs as ``egress`` says."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "network", settings, "the private network of functions and cache")
        self.vpc = ec2.CfnVPC(self, "Vpc", cidr_block=CIDR, enable_dns_hostnames=True, enable_dns_support=True)
        accept(self.vpc, {"VPC7": _NO_FLOW_LOGS})
        self.routes = ec2.CfnRouteTable(self, "Routes", vpc_id=self.vpc.ref)
        self.ipv6 = ec2.CfnVPCCidrBlock(self, "Ipv6", vpc_id=self.vpc.ref, amazon_provided_ipv6_cidr_block=True)
        self.subnets = [self._subnet(zone) for zone in range(ZONES)]
        self.functions = self._functions_group()
        self._dynamodb_endpoint()
        if settings.egress == "ipv6":
            self._out_by_ipv6()
        else:
            self._logs_endpoint()
        self.share("network/vpc", self.vpc.ref)
        self.share("network/functions", self.functions.attr_group_id)
        for number, subnet in enumerate(self.subnets, 1):
            self.share(f"network/subnet-{number}", subnet.ref)

    def _subnet(self, zone: int) -> ec2.CfnSubnet:
        subnet = ec2.CfnSubnet(
            self,
            f"Subnet {zone + 1}",
            vpc_id=self.vpc.ref,
            availability_zone=Fn.select(zone, Fn.get_azs("")),
            cidr_block=f"10.42.{zone}.0/24",
            ipv6_cidr_block=Fn.select(zone, Fn.cidr(Fn.select(0, self.vpc.attr_ipv6_cidr_blocks), ZONES, "64")),
            map_public_ip_on_launch=False,
        )
        subnet.add_resource_dependency(self.ipv6)
        ec2.CfnSubnetRouteTableAssociation(
            self, f"Routes {zone + 1}", route_table_id=self.routes.ref, subnet_id=subnet.ref
        )
        return subnet

    def _functions_group(self) -> ec2.CfnSecurityGroup:
        """Nobody may come in; out go HTTPS (to DynamoDB and CloudWatch Logs) and Redis."""
        egress = ec2.CfnSecurityGroup.EgressProperty
        return ec2.CfnSecurityGroup(
            self,
            "Functions",
            group_description="Functions of the task API and the collector",
            vpc_id=self.vpc.ref,
            security_group_egress=[
                egress(ip_protocol="tcp", from_port=443, to_port=443, cidr_ip="0.0.0.0/0", description="HTTPS"),
                egress(ip_protocol="tcp", from_port=443, to_port=443, cidr_ipv6="::/0", description="HTTPS"),
                egress(ip_protocol="tcp", from_port=REDIS_PORT, to_port=REDIS_PORT, cidr_ip=CIDR, description="Redis"),
            ],
        )

    def _dynamodb_endpoint(self) -> None:
        ec2.CfnVPCEndpoint(
            self,
            "DynamoDB",
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{self.region}.dynamodb",
            vpc_id=self.vpc.ref,
            route_table_ids=[self.routes.ref],
        )

    def _out_by_ipv6(self) -> None:
        """Out, never in, and without a charge by the hour."""
        way = ec2.CfnEgressOnlyInternetGateway(self, "Egress", vpc_id=self.vpc.ref)
        ec2.CfnRoute(
            self,
            "Out",
            route_table_id=self.routes.ref,
            destination_ipv6_cidr_block="::/0",
            egress_only_internet_gateway_id=way.ref,
        )

    def _logs_endpoint(self) -> None:
        ingress = ec2.CfnSecurityGroup.IngressProperty(
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            source_security_group_id=self.functions.attr_group_id,
            description="HTTPS of the functions",
        )
        group = ec2.CfnSecurityGroup(
            self,
            "Endpoint",
            group_description="Endpoint of CloudWatch Logs",
            vpc_id=self.vpc.ref,
            security_group_ingress=[ingress],
        )
        ec2.CfnVPCEndpoint(
            self,
            "Logs",
            vpc_endpoint_type="Interface",
            service_name=f"com.amazonaws.{self.region}.logs",
            vpc_id=self.vpc.ref,
            subnet_ids=[subnet.ref for subnet in self.subnets],
            security_group_ids=[group.attr_group_id],
            private_dns_enabled=True,
        )
