"""Network, cache, database and log groups, as their templates have them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from tests.support.templates import Json, Template

from miyabi.database.dynamodb_tables import Capacity, projects_table, shape, tasks_table

Templates = Mapping[str, Template]


def table(templates: Templates, name: str) -> Json:
    [found] = [one for one in templates["database"].of("DynamoDB::Table") if one["TableName"] == f"miyabi-{name}"]
    return found


def test_the_network_has_no_nat_gateway_and_no_way_in(default: Templates, scaled: Templates) -> None:
    for templates in (default, scaled):
        kinds = {resource["Type"] for resource in templates["network"].whole["Resources"].values()}
        assert not kinds & {"AWS::EC2::NatGateway", "AWS::EC2::InternetGateway", "AWS::EC2::EIP"}
        assert [subnet["MapPublicIpOnLaunch"] for subnet in templates["network"].of("EC2::Subnet")] == [False, False]


def test_the_two_subnets_are_in_different_zones(default: Templates) -> None:
    zones = [subnet["AvailabilityZone"]["Fn::Select"][0] for subnet in default["network"].of("EC2::Subnet")]
    assert zones == [0, 1]


def test_dynamodb_is_reached_by_a_gateway_endpoint_that_costs_nothing(default: Templates, scaled: Templates) -> None:
    for templates in (default, scaled):
        kinds = [endpoint["VpcEndpointType"] for endpoint in templates["network"].of("EC2::VPCEndpoint")]
        assert kinds.count("Gateway") == 1


def test_cloudwatch_logs_is_reached_over_ipv6_that_only_leads_out(default: Templates) -> None:
    network = default["network"]
    [route] = network.of("EC2::Route")
    assert route["DestinationIpv6CidrBlock"] == "::/0"
    assert "EgressOnlyInternetGatewayId" in route
    assert [endpoint["VpcEndpointType"] for endpoint in network.of("EC2::VPCEndpoint")] == ["Gateway"]
    assert all("Ipv6CidrBlock" in subnet for subnet in network.of("EC2::Subnet"))


def test_or_by_an_endpoint_in_both_zones(scaled: Templates) -> None:
    network = scaled["network"]
    [logs] = [one for one in network.of("EC2::VPCEndpoint") if one["VpcEndpointType"] == "Interface"]
    assert logs["ServiceName"] == "com.amazonaws.eu-west-1.logs"
    assert logs["PrivateDnsEnabled"] is True
    assert len(logs["SubnetIds"]) == 2
    assert not network.of("EC2::Route")


def test_the_cache_is_redis_7_on_one_small_node(default: Templates) -> None:
    redis = default["cache"].one("ElastiCache::ReplicationGroup")
    assert (redis["Engine"], redis["EngineVersion"], redis["CacheNodeType"]) == ("redis", "7.1", "cache.t4g.micro")
    assert (redis["NumNodeGroups"], redis["ReplicasPerNodeGroup"]) == (1, 0)
    assert redis["AutomaticFailoverEnabled"] is False


def test_six_nodes_are_a_cluster_of_three_pairs_in_two_zones(scaled: Templates) -> None:
    redis = scaled["cache"].one("ElastiCache::ReplicationGroup")
    assert (redis["NumNodeGroups"], redis["ReplicasPerNodeGroup"]) == (3, 1)
    assert redis["AutomaticFailoverEnabled"] is True
    assert redis["MultiAZEnabled"] is True
    assert redis["CacheParameterGroupName"] == "default.redis7.cluster.on"
    [url] = [one["Value"] for one in scaled["cache"].of("SSM::Parameter")]
    assert "iam=miyabi-pairs&cluster=yes" in json.dumps(url)


def test_a_cluster_has_another_name_than_one_node_because_it_replaces_it(default: Templates, scaled: Templates) -> None:
    def name(templates: Templates) -> str:
        return str(templates["cache"].one("ElastiCache::ReplicationGroup")["ReplicationGroupId"])

    assert (name(default), name(scaled)) == ("miyabi", "miyabi-pairs")
    for templates in (default, scaled):
        roles = json.dumps(templates["tasks"].of("IAM::Role"))
        assert f":replicationgroup:{name(templates)}" in roles


def test_the_cache_is_encrypted_in_transit_and_at_rest(default: Templates, scaled: Templates) -> None:
    for templates in (default, scaled):
        redis = templates["cache"].one("ElastiCache::ReplicationGroup")
        assert redis["TransitEncryptionEnabled"] is True
        assert redis["AtRestEncryptionEnabled"] is True


def test_the_cache_is_open_to_the_functions_alone(default: Templates) -> None:
    [group] = default["cache"].of("EC2::SecurityGroup")
    [rule] = group["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"]) == (6379, 6379)
    assert "CidrIp" not in rule
    parameter = default["cache"].whole["Parameters"][rule["SourceSecurityGroupId"]["Ref"]]
    assert parameter["Default"] == "/miyabi/network/functions"


def test_iam_lets_the_functions_into_the_cache_and_the_default_user_is_off(default: Templates) -> None:
    users = {user["UserName"]: user for user in default["cache"].of("ElastiCache::User")}
    assert users["miyabi"]["AuthenticationMode"] == {"Type": "iam"}
    assert users["miyabi"]["UserId"] == "miyabi"
    assert users["default"]["AccessString"].startswith("off ")
    [url] = [one["Value"] for one in default["cache"].of("SSM::Parameter")]
    assert json.dumps(url).count("rediss://miyabi@") == 1
    assert ":6379?iam=miyabi" in json.dumps(url)


@pytest.mark.parametrize("on_demand", [True, False])
def test_the_tables_are_as_miyabi_tables_makes_them(default: Templates, scaled: Templates, on_demand: bool) -> None:
    templates, capacity = (default if on_demand else scaled), Capacity(5, 5, on_demand=on_demand)
    for name, made in (("tasks", tasks_table), ("projects", projects_table)):
        assert shape(table(templates, name)) == shape(made(f"miyabi-{name}", capacity))


def test_tasks_are_forgotten_by_their_ttl_and_projects_never(default: Templates) -> None:
    assert table(default, "tasks")["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert "TimeToLiveSpecification" not in table(default, "projects")


@pytest.mark.parametrize("name", ["tasks", "projects"])
def test_a_table_can_be_restored_to_any_second_of_35_days(default: Templates, name: str) -> None:
    recovery = table(default, name)["PointInTimeRecoverySpecification"]
    assert recovery == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}


@pytest.mark.parametrize("name", ["tasks", "projects"])
def test_a_table_is_encrypted(default: Templates, name: str) -> None:
    assert table(default, name)["SSESpecification"] == {"SSEEnabled": True}


def test_tables_and_log_groups_outlive_their_stack(default: Templates) -> None:
    kept = [*default["database"].resources("DynamoDB::Table"), *default["logs"].resources("Logs::LogGroup")]
    assert {one["DeletionPolicy"] for one in kept} == {"Retain"}
    assert all(one["DeletionProtectionEnabled"] for one in default["database"].of("DynamoDB::Table"))


def test_they_go_with_it_when_that_is_asked_for(snapshots: Templates) -> None:
    gone = [*snapshots["database"].resources("DynamoDB::Table"), *snapshots["logs"].resources("Logs::LogGroup")]
    assert {one["DeletionPolicy"] for one in gone} == {"Delete"}
    assert not any(one.get("DeletionProtectionEnabled") for one in snapshots["database"].of("DynamoDB::Table"))


def test_auto_scaling_holds_every_table_and_index_between_its_limits(scaled: Templates) -> None:
    targets = scaled["database"].of("ApplicationAutoScaling::ScalableTarget")
    assert {(target["MinCapacity"], target["MaxCapacity"]) for target in targets} == {(5, 100)}
    assert len(targets) == 2 * (2 + 3)


def test_log_groups_keep_lines_for_30_days_and_functions_own_for_7(default: Templates) -> None:
    groups = {one["LogGroupName"]: one["RetentionInDays"] for one in default["logs"].of("Logs::LogGroup")}
    assert {"/miyabi/cdk-deploy", "/miyabi/agents", "/miyabi/system", "/miyabi/jobs"} == set(groups)
    assert set(groups.values()) == {30}
    for stack, name in (("tasks", "tasks"), ("collector", "collector"), ("auth", "authorizer")):
        own = default[stack].one("Logs::LogGroup")
        assert (own["LogGroupName"], own["RetentionInDays"]) == (f"/aws/lambda/miyabi-{name}", 7)


def test_how_long_lines_are_kept_is_a_setting(scaled: Templates) -> None:
    assert {one["RetentionInDays"] for one in scaled["logs"].of("Logs::LogGroup")} == {90}
    assert scaled["tasks"].one("Logs::LogGroup")["RetentionInDays"] == 14
