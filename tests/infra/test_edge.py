"""Gateway, sign-in and page, as their templates have them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping

import pytest
from infra.web import VIEWS
from tests.support.templates import Json, Template

from miyabi.cost.load import Load

Templates = Mapping[str, Template]


def routes(templates: Templates) -> dict[tuple[str, str], Json]:
    """Method and path → the method's properties."""
    gateway = templates["gateway"].whole["Resources"]

    def path(ref: Json) -> str:
        if "Fn::GetAtt" in ref:
            return ""
        resource = gateway[ref["Ref"]]["Properties"]
        return path(resource["ParentId"]) + "/" + str(resource["PathPart"])

    methods = templates["gateway"].of("ApiGateway::Method")
    return {(one["HttpMethod"], path(one["ResourceId"])): one for one in methods}


def test_the_gateway_is_regional_and_lets_1000_requests_a_second_through_2000_at_once(default: Templates) -> None:
    assert default["gateway"].one("ApiGateway::RestApi")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    [limits] = default["gateway"].one("ApiGateway::Stage")["MethodSettings"]
    assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (1000, 2000)
    assert (limits["HttpMethod"], limits["ResourcePath"]) == ("*", "/*")


def test_the_rate_is_a_setting(scaled: Templates) -> None:
    [limits] = scaled["gateway"].one("ApiGateway::Stage")["MethodSettings"]
    assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (10_000, 20_000)


def test_the_gateway_writes_json_access_logs_to_the_system_group_and_traces(default: Templates) -> None:
    stage = default["gateway"].one("ApiGateway::Stage")
    assert ":log-group:/miyabi/system" in json.dumps(stage["AccessLogSetting"]["DestinationArn"])
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"request_id", "status", "path", "latency_ms", "user"} <= set(line)
    assert stage["TracingEnabled"] is True


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("ANY", "/api/tasks", "tasks"),
        ("ANY", "/api/tasks/{task_id}", "tasks"),
        ("ANY", "/api/tasks/{task_id}/{proxy+}", "tasks"),
        ("ANY", "/api/{proxy+}", "tasks"),
        ("GET", "/health", "tasks"),
        ("GET", "/api/sign-in", "authorizer"),
        ("POST", "/api/collect", "collector"),
        ("POST", "/api/tasks/{task_id}/reread", "collector"),
        ("GET", "/api/tasks/{task_id}/badge.svg", "tasks"),
        ("ANY", "/api/projects", "tasks"),
        ("ANY", "/api/projects/{project_id}", "tasks"),
        ("ANY", "/api/projects/{project_id}/{proxy+}", "tasks"),
        ("GET", "/api/projects/{project_id}/badge.svg", "tasks"),
    ],
)
def test_a_route_leads_to_its_function(default: Templates, method: str, path: str, function: str) -> None:
    integration = routes(default)[method, path]["Integration"]
    assert integration["Type"] == "AWS_PROXY"
    assert f":function:miyabi-{function}/invocations" in json.dumps(integration["Uri"])


def test_everything_but_health_and_how_to_sign_in_asks_the_authorizer(default: Templates, scaled: Templates) -> None:
    for templates in (default, scaled):
        asked = {where: one["AuthorizationType"] for where, one in routes(templates).items()}
        free = {path for (method, path), kind in asked.items() if kind != "CUSTOM" and method != "OPTIONS"}
        assert free == {"/health", "/api/sign-in"}


def test_the_authorizer_takes_bearer_tokens_and_is_asked_again_after_five_minutes(default: Templates) -> None:
    authorizer = authorizers(default)["TOKEN"]
    assert (authorizer["Type"], authorizer["AuthorizerResultTtlInSeconds"]) == ("TOKEN", 300)
    assert authorizer["IdentitySource"] == "method.request.header.Authorization"
    assert re.match(authorizer["IdentityValidationExpression"], "Bearer a.b.c")
    assert ":function:miyabi-authorizer/invocations" in json.dumps(authorizer["AuthorizerUri"])


def test_only_badges_are_asked_about_by_their_address(default: Templates) -> None:
    badges = authorizers(default)["REQUEST"]
    assert (badges["IdentitySource"], badges["AuthorizerResultTtlInSeconds"]) == (
        "method.request.querystring.token",
        300,
    )
    assert ":function:miyabi-authorizer/invocations" in json.dumps(badges["AuthorizerUri"])
    asked = {path: one["AuthorizerId"]["Ref"] for (_, path), one in routes(default).items() if "AuthorizerId" in one}
    by_address = {path for path, ref in asked.items() if "Badge" in ref}
    assert by_address == {"/api/tasks/{task_id}/badge.svg", "/api/projects/{project_id}/badge.svg"}


def authorizers(templates: Templates) -> dict[str, Json]:
    """The gateway's authorizers by their kind."""
    return {one["Type"]: one for one in templates["gateway"].of("ApiGateway::Authorizer")}


def test_no_other_origin_is_answered_unless_it_is_configured(default: Templates, scaled: Templates) -> None:
    assert not [method for method, _ in routes(default) if method == "OPTIONS"]
    preflights = [one for (method, _), one in routes(scaled).items() if method == "OPTIONS"]
    assert preflights
    for preflight in preflights:
        said = json.dumps(preflight["Integration"]["IntegrationResponses"])
        assert "https://board.example.org" in said
        assert "'*'" not in said.replace("'Access-Control-Allow-Headers'", "")


def test_every_answer_says_which_other_origins_may_read_it(default: Templates, scaled: Templates) -> None:
    def said(templates: Templates) -> Json:
        policy = templates["web"].one("CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
        found: Json = policy.get("CorsConfig", {})
        return found

    assert not said(default)
    cors = said(scaled)
    assert cors["AccessControlAllowOrigins"]["Items"] == ["https://board.example.org", "http://localhost:5173"]
    assert "Authorization" in cors["AccessControlAllowHeaders"]["Items"]
    assert (cors["OriginOverride"], cors["AccessControlAllowCredentials"]) == (True, False)


def test_x_ray_records_one_request_in_twenty(default: Templates) -> None:
    rule = default["gateway"].one("XRay::SamplingRule")["SamplingRule"]
    assert (rule["FixedRate"], rule["ReservoirSize"]) == (Load().traced, 0)
    assert (rule["ServiceType"], rule["ServiceName"]) == ("AWS::ApiGateway::Stage", "miyabi-gateway/live")


def test_what_the_gateway_refuses_by_itself_says_what_to_do(default: Templates) -> None:
    said = {one["ResponseType"]: one for one in default["gateway"].of("ApiGateway::GatewayResponse")}
    assert said["THROTTLED"]["StatusCode"] == "429"
    assert said["THROTTLED"]["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"
    assert said["UNAUTHORIZED"]["StatusCode"] == "401"
    for one in said.values():
        body = json.loads(one["ResponseTemplates"]["application/json"])
        assert body["type"].startswith("urn:miyabi:problem:")
        assert str(body["status"]) == one["StatusCode"]
        assert body["detail"]
        kind = one["ResponseParameters"]["gatewayresponse.header.Content-Type"]
        assert kind == "'application/problem+json'"


def test_only_this_gateway_may_call_the_functions_it_routes_to(default: Templates) -> None:
    allowed = default["gateway"].of("Lambda::Permission")
    assert {one["Principal"] for one in allowed} == {"apigateway.amazonaws.com"}
    assert len(allowed) == 2
    assert all("execute-api" in json.dumps(one["SourceArn"]) for one in allowed)


def test_users_are_cognitos_unless_an_issuer_is_given(default: Templates, scaled: Templates) -> None:
    assert default["auth"].of("Cognito::UserPool")
    assert not scaled["auth"].of("Cognito::UserPool")
    given = scaled["auth"].one("Lambda::Function")["Environment"]["Variables"]
    assert given["MIYABI_AUTH_ISSUER"] == "https://login.example.org/board"
    assert given["MIYABI_AUTH_AUDIENCE"] == "board"


def test_the_page_signs_in_by_code_without_a_secret_and_comes_back_to_its_address(default: Templates) -> None:
    client = default["auth"].one("Cognito::UserPoolClient")
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    [back] = client["CallbackURLs"]
    [ref] = [part["Ref"] for part in back["Fn::Join"][1] if isinstance(part, dict)]
    assert default["auth"].whole["Parameters"][ref]["Default"] == "/miyabi/web/domain"
    pool = default["auth"].one("Cognito::UserPool")
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_the_authorizers_function_tells_how_to_sign_in_and_may_be_called_for_that(
    default: Templates, scaled: Templates
) -> None:
    sources = json.dumps([one["SourceArn"] for one in default["auth"].of("Lambda::Permission")])
    assert "/authorizers/*" in sources
    assert "/live/GET/api/sign-in" in sources
    given = default["auth"].one("Lambda::Function")["Environment"]["Variables"]
    assert given["MIYABI_AUTH_CLIENT"] == given["MIYABI_AUTH_AUDIENCE"]
    assert "MIYABI_AUTH_CLIENT" not in scaled["auth"].one("Lambda::Function")["Environment"]["Variables"]


def test_the_pages_bucket_is_private_encrypted_and_read_by_its_distribution_alone(default: Templates) -> None:
    bucket = default["web"].one("S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket
    [allowed] = [
        one for one in default["web"].one("S3::BucketPolicy")["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allowed["Action"] == "s3:GetObject"
    assert "AWS:SourceArn" in allowed["Condition"]["StringEquals"]
    control = default["web"].one("CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert (control["SigningBehavior"], control["OriginAccessControlOriginType"]) == ("always", "s3")


def test_the_page_is_served_by_https_only_with_http3_and_compressed(default: Templates) -> None:
    distribution = default["web"].one("CloudFront::Distribution")["DistributionConfig"]
    assert distribution["HttpVersion"] == "http2and3"
    page = distribution["DefaultCacheBehavior"]
    assert (page["ViewerProtocolPolicy"], page["Compress"]) == ("redirect-to-https", True)
    assert {one["ViewerProtocolPolicy"] for one in distribution["CacheBehaviors"]} == {"https-only"}


def test_the_api_has_the_pages_address_and_nothing_of_it_is_kept(default: Templates) -> None:
    behaviors = default["web"].one("CloudFront::Distribution")["DistributionConfig"]["CacheBehaviors"]
    assert {one["PathPattern"] for one in behaviors} == {"/api/*", "/health"}
    caching_disabled, all_but_host = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert {(one["CachePolicyId"], one["OriginRequestPolicyId"]) for one in behaviors} == {
        (caching_disabled, all_but_host)
    }
    assert all("PATCH" in one["AllowedMethods"] for one in behaviors)


def test_only_paths_of_the_page_are_answered_with_the_index_and_errors_of_the_api_are_not(default: Templates) -> None:
    distribution = default["web"].one("CloudFront::Distribution")["DistributionConfig"]
    assert "CustomErrorResponses" not in distribution
    assert distribution["DefaultCacheBehavior"]["FunctionAssociations"][0]["EventType"] == "viewer-request"
    assert not [one for one in distribution["CacheBehaviors"] if "FunctionAssociations" in one]


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/", "/index.html"),
        ("/tasks/cdk.deploy-1", "/index.html"),
        ("/projects/web.ui", "/index.html"),
        ("/favicon.svg", "/favicon.svg"),
        ("/assets/index-DMgnA1u0.js", "/assets/index-DMgnA1u0.js"),
        ("/assets/gone.js", "/assets/gone.js"),
    ],
)
def test_a_path_is_a_view_or_a_file(path: str, served: str) -> None:
    run = f"{VIEWS}\nconsole.log(handler({{request: {{uri: {json.dumps(path)}}}}}).uri)"
    done = subprocess.run(["node", "-e", run], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == served


def test_the_page_has_the_security_headers_of_its_own_server_and_hsts(default: Templates, scaled: Templates) -> None:
    def headers(templates: Templates) -> Json:
        policy = templates["web"].one("CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
        found: Json = policy["SecurityHeadersConfig"]
        return found

    found = headers(default)
    assert found["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 365 * 24 * 3600
    assert found["FrameOptions"]["FrameOption"] == "DENY"
    assert found["ContentTypeOptions"]["Override"] is True
    policy = json.dumps(found["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert ".auth.us-east-1.amazoncognito.com" in policy
    assert "https://cognito-idp.us-east-1." in policy
    given = headers(scaled)["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert "connect-src 'self' https://login.example.org;" in given
