"""Service 2, the gateway: API Gateway. It routes, limits the rate, answers other origins, and asks who is there."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_xray as xray
from constructs import Construct

from infra.access_log import ACCESS_LOG
from infra.service import Service, accept
from miyabi.deployment import Deployment
from miyabi.http import PROBLEM_JSON, TITLES, TYPE_PREFIX
from miyabi.model import SYSTEM_GROUP
from miyabi.principal import BADGE

STAGE = "live"
ROUTES: Mapping[str, tuple[str, str]] = {
    "/health": ("GET", "tasks"),
    "/api/{proxy+}": ("ANY", "tasks"),
    "/api/sign-in": ("GET", "authorizer"),
    "/api/tasks": ("ANY", "tasks"),
    "/api/tasks/{task_id}": ("ANY", "tasks"),
    "/api/tasks/{task_id}/{proxy+}": ("ANY", "tasks"),
    "/api/tasks/{task_id}/reread": ("POST", "collector"),
    "/api/tasks/{task_id}/badge.svg": ("GET", "tasks"),
    "/api/projects": ("ANY", "tasks"),
    "/api/projects/{project_id}": ("ANY", "tasks"),
    "/api/projects/{project_id}/{proxy+}": ("ANY", "tasks"),
    "/api/projects/{project_id}/badge.svg": ("GET", "tasks"),
    "/api/collect": ("POST", "collector"),
}
"""Path → method and function. The longest match alone counts, so what is below one of them is named again."""
OPEN = ("/health", "/api/sign-in")
"""Answered without a token."""
ASKED_AGAIN_SECONDS = 300
REFUSED: Mapping[str, tuple[str, str, str, Mapping[str, str]]] = {
    "THROTTLED": ("429", "rate-limited", "Wait a second, then ask again.", {"Retry-After": "1"}),
    "UNAUTHORIZED": ("401", "unauthorized", "Send a token: `Authorization: Bearer …`.", {"WWW-Authenticate": "Bearer"}),
    "ACCESS_DENIED": ("403", "forbidden", "This token does not allow that.", {}),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "not-found", "Nothing is served here.", {}),
    "INTEGRATION_TIMEOUT": ("504", "timeout", "Ask again.", {}),
    "DEFAULT_5XX": ("503", "unavailable", "A service behind the gateway does not answer. Ask again.", {}),
}
"""What API Gateway answers by itself: type → status, problem, detail, headers; the same bodies as the API's own."""
TITLES_OF_GATEWAY = {"unauthorized": "A valid token is needed", "forbidden": "This is not allowed"}
METHODS = ("GET", "POST", "PATCH", "OPTIONS")
SENT = ("Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "X-Request-Id")
"""What pages of other origins may ask with; their answers' headers are CloudFront's (:mod:`infra.web`)."""
TRACED = 0.05
"""Share of requests that X-Ray records. Without a rule it is one each second, too: nearly all of a quiet board's."""
_ACCOUNT = "API Gateway takes a role only with exactly this policy; it is for the account's logs."
_REASONS = {
    "APIG2": "The task API checks requests, and says better what is wrong with them.",
    "APIG3": "A web ACL costs more than all the rest of the gateway; one can be put before it at any time.",
    "APIG6": "The access log tells of every request; the execution log goes to a group that is kept for ever.",
}
_OPEN = {"APIG4": "Tells which services answer, or how to sign in: those who ask have no token yet."}
_PREFLIGHT = {
    "APIG4": "Browsers send no token with it; it tells only which origins may ask.",
    "COG4": "Browsers send no token with it; it tells only which origins may ask.",
}
_ANY_ISSUER = {"COG4": "Our authorizer takes Cognito's tokens and any other issuer's."}


class Gateway(Service):
    """One REST API with one stage. Functions and authorizer are known by their names."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "gateway", settings, "the API gateway")
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self.name("gateway"),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            default_cors_preflight_options=self._cors(),
            deploy_options=self._stage(),
        )
        self.api.node.try_remove_child("Endpoint")  # an output that nobody reads
        accept(self.api, _REASONS)
        self._log_to()
        self._trace()
        self.authorizer = self._authorizer()
        self.badges = self._badge_authorizer()
        for path, (method, function) in ROUTES.items():
            self._route(path, method, function)
        for kind in REFUSED:
            self._refuse(kind)
        for function in sorted({function for _, function in ROUTES.values()} - {"authorizer"}):  # comes later
            self._may_call(function)
        self.share("gateway/id", self.api.rest_api_id)

    def _cors(self) -> apigateway.CorsOptions | None:
        if not self.settings.origins:
            return None
        return apigateway.CorsOptions(
            allow_origins=list(self.settings.origins),
            allow_methods=list(METHODS),
            allow_headers=list(SENT),
        )

    def _stage(self) -> apigateway.StageOptions:
        return apigateway.StageOptions(
            stage_name=STAGE,
            throttling_rate_limit=self.settings.rate,
            throttling_burst_limit=self.settings.burst,
            tracing_enabled=True,
        )

    def _log_to(self) -> None:
        """The access log, and the role that API Gateway writes logs with, which is the whole account's."""
        role = iam.Role(
            self,
            "Log role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        accept(role, {f"IAM4[Policy::{policy}]": _ACCOUNT})
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
        stage = self.api.deployment_stage.node.default_child
        assert isinstance(stage, apigateway.CfnStage)
        stage.access_log_setting = apigateway.CfnStage.AccessLogSettingProperty(
            destination_arn=self.log_group_arn(SYSTEM_GROUP), format=ACCESS_LOG
        )
        stage.add_resource_dependency(account)

    def _trace(self) -> None:
        rule = xray.CfnSamplingRule.SamplingRuleProperty(
            rule_name=self.name("gateway"),
            priority=100,
            fixed_rate=TRACED,
            reservoir_size=0,
            service_type="AWS::ApiGateway::Stage",
            service_name=f"{self.name('gateway')}/{STAGE}",
            host="*",
            http_method="*",
            url_path="*",
            resource_arn="*",
            version=1,
        )
        xray.CfnSamplingRule(self, "Traced", sampling_rule=rule)

    def _authorizer(self) -> apigateway.CfnAuthorizer:
        return apigateway.CfnAuthorizer(
            self,
            "Authorizer",
            name=self.name("authorizer"),
            rest_api_id=self.api.rest_api_id,
            type="TOKEN",
            authorizer_uri=self._invocation("authorizer"),
            identity_source="method.request.header.Authorization",
            identity_validation_expression="^Bearer [^ ]+$",
            authorizer_result_ttl_in_seconds=ASKED_AGAIN_SECONDS,
        )

    def _badge_authorizer(self) -> apigateway.CfnAuthorizer:
        """For badges: images send no header, so their token stands in the address. The same function."""
        return apigateway.CfnAuthorizer(
            self,
            "Badge authorizer",
            name=self.name("badge-authorizer"),
            rest_api_id=self.api.rest_api_id,
            type="REQUEST",
            authorizer_uri=self._invocation("authorizer"),
            identity_source="method.request.querystring.token",
            authorizer_result_ttl_in_seconds=ASKED_AGAIN_SECONDS,
        )

    def _invocation(self, function: str) -> str:
        path = f"path/2015-03-31/functions/{self.function_arn(function)}/invocations"
        return f"arn:{Aws.PARTITION}:apigateway:{self.region}:lambda:{path}"

    def _route(self, path: str, verb: str, function: str) -> None:
        resource = self.api.root.resource_for_path(path)
        integration = apigateway.Integration(
            type=apigateway.IntegrationType.AWS_PROXY,
            integration_http_method="POST",
            uri=self._invocation(function),
        )
        method = resource.add_method(verb, integration)
        made = method.node.default_child
        assert isinstance(made, apigateway.CfnMethod)
        if path in OPEN:
            accept(method, {**_OPEN, "COG4": _OPEN["APIG4"]})
        else:
            authorizer = self.badges if path.endswith(BADGE) else self.authorizer
            made.authorization_type, made.authorizer_id = "CUSTOM", authorizer.ref
            accept(method, _ANY_ISSUER)
        if preflight := resource.node.try_find_child("OPTIONS"):
            accept(preflight, _PREFLIGHT)

    def _refuse(self, kind: str) -> None:
        status, problem, detail, headers = REFUSED[kind]
        title = TITLES_OF_GATEWAY.get(problem) or TITLES[problem][1]
        said = f'{{"type":"{TYPE_PREFIX}{problem}","title":"{title}","status":{status},"detail":"{detail}"}}'
        sent = {"Content-Type": PROBLEM_JSON, **headers}
        apigateway.CfnGatewayResponse(
            self,
            f"Refuse {kind}",
            rest_api_id=self.api.rest_api_id,
            response_type=kind,
            status_code=status,
            response_parameters={f"gatewayresponse.header.{name}": f"'{value}'" for name, value in sent.items()},
            response_templates={"application/json": said},
        )

    def _may_call(self, function: str) -> None:
        lambda_.CfnPermission(
            self,
            f"May call {function}",
            action="lambda:InvokeFunction",
            function_name=self.function_arn(function),
            principal="apigateway.amazonaws.com",
            source_arn=self.arn_of("execute-api", f"{self.api.rest_api_id}/*"),
        )
