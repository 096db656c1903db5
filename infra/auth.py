"""Who may come in: Cognito's users or those of any OIDC issuer, checked by the gateway's authorizer."""

from __future__ import annotations

from urllib.parse import urlsplit

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.function import Code, Shape, make_function
from infra.gateway import STAGE
from infra.service import Service, accept
from miyabi.deployment import Deployment

MEMORY, SECONDS = 256, 5
_PLAN = "Threat protection is part of Cognito's dearest plan; a second factor is offered."


class Auth(Service):
    """Comes after the page, whose address the sign-in leads back to; the gateway knows the authorizer by its name."""

    def __init__(self, scope: Construct, settings: Deployment, code: Code) -> None:
        super().__init__(scope, "auth", settings, "users and the gateway's authorizer")
        issuer, audience = (settings.issuer, settings.audience) if settings.issuer else self._cognito()
        assert audience is not None
        self.share("auth/issuer", issuer)
        self.share("auth/audience", audience)
        shape = Shape(
            name="authorizer",
            about="Checks the tokens of requests to the gateway",
            memory=MEMORY,
            seconds=SECONDS,
            environment=self._environment(issuer, audience),
            in_network=False,
        )
        self.function = make_function(self, code, shape, self._secret())
        self._may_call("Gateway may call", "authorizers/*")
        self._may_call("Page may ask", f"{STAGE}/GET/api/sign-in")

    def _may_call(self, name: str, path: str) -> None:
        lambda_.CfnPermission(
            self,
            name,
            action="lambda:InvokeFunction",
            function_name=self.function.ref,
            principal="apigateway.amazonaws.com",
            source_arn=self.arn_of("execute-api", f"{self.shared('gateway/id')}/{path}"),
        )

    def _environment(self, issuer: str, audience: str) -> dict[str, str]:
        """Cognito's access tokens name the client in a claim of their own. A secret is named, never given."""
        given = {"MIYABI_AUTH_ISSUER": issuer, "MIYABI_AUTH_AUDIENCE": audience}
        if not self.settings.issuer:
            given["MIYABI_AUTH_AUDIENCE_CLAIM"] = "client_id"
        client = self.settings.client if self.settings.issuer else audience
        if client:
            given["MIYABI_AUTH_CLIENT"] = client
        if self.settings.secret_parameter:
            given["MIYABI_AUTH_SECRET"] = f"ssm:{self.settings.secret_parameter}"
        return given

    def _secret(self) -> list[iam.PolicyStatement]:
        """The secret is read by its name when it is needed and stands in no environment."""
        if not self.settings.secret_parameter:
            return []
        parameter = self.arn_of("ssm", f"parameter{self.settings.secret_parameter}")
        return [iam.PolicyStatement(actions=["ssm:GetParameter"], resources=[parameter])]

    def _cognito(self) -> tuple[str, str]:
        """A user pool's issuer, and the page's client in it, which is what tokens are for."""
        pool = cognito.UserPool(
            self,
            "Users",
            user_pool_name=self.name("users"),
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_digits=True, require_lowercase=True, require_symbols=True, require_uppercase=True
            ),
            deletion_protection=self.keeping == RemovalPolicy.RETAIN,
            removal_policy=self.keeping,
        )
        accept(pool, {"COG2": "A second factor is each user's choice here.", "COG3": _PLAN, "COG8": _PLAN})
        pool.add_domain("Domain", cognito_domain=cognito.CognitoDomainOptions(domain_prefix=domain_prefix(self)))
        client = self._client(pool)
        issuer = f"https://cognito-idp.{self.region}.{Aws.URL_SUFFIX}/{pool.user_pool_id}"
        return issuer, client.user_pool_client_id

    def _client(self, pool: cognito.UserPool) -> cognito.UserPoolClient:
        """The page's client: authorization code with PKCE, no secret."""
        pages = [f"https://{self.shared('web/domain')}/", *(f"{origin}/" for origin in self.settings.origins)]
        scopes = cognito.OAuthScope
        return pool.add_client(
            "Page",
            user_pool_client_name=self.name("page"),
            generate_secret=False,
            prevent_user_existence_errors=True,
            auth_flows=cognito.AuthFlow(user_srp=True),
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[scopes.OPENID, scopes.EMAIL, scopes.PROFILE],
                callback_urls=pages,
                logout_urls=pages,
            ),
        )


def domain_prefix(service: Service) -> str:
    """The name of the sign-in pages, of which no other account has one."""
    return f"{service.settings.prefix}-{Aws.ACCOUNT_ID}"


def sign_in_origins(service: Service) -> list[str]:
    """Where the page asks for tokens: Cognito describes itself at one address and gives them at another."""
    if service.settings.issuer:
        parts = urlsplit(service.settings.issuer)
        return [f"{parts.scheme}://{parts.netloc}"]
    return [
        f"https://cognito-idp.{service.region}.{Aws.URL_SUFFIX}",
        f"https://{domain_prefix(service)}.auth.{service.region}.amazoncognito.com",
    ]
