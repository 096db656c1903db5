"""Service 1, the web UI: the page in a private bucket behind CloudFront, and the API under the same address."""

from __future__ import annotations

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.auth import sign_in_origins
from infra.gateway import METHODS, SENT, STAGE
from infra.service import Service, accept
from miyabi.deployment import Deployment
from miyabi.webui.app import policy

HSTS_DAYS = 365
VIEWS = """
function handler(event) {
  var request = event.request;
  if (!/^\\/(assets\\/.*|[^\\/]+\\.[a-z0-9]+)$/.test(request.uri)) request.uri = '/index.html';
  return request;
}
""".strip()
"""Every path is a view of the page but files at the top and what is below ``/assets/``."""
_BUCKET = {"S1": "Only CloudFront can read it, and it holds nothing but the public page."}
_DISTRIBUTION = {
    "CFR1": "The board is open to all countries; tokens decide who sees something.",
    "CFR2": "A web ACL costs as much as half of all the rest; one can be put before it at any time.",
    "CFR3": "The page's files are public, and the gateway logs every request to the API.",
    "CFR4": "CloudFront's own certificate comes with its own choice of TLS versions; its name has no other.",
}


class Web(Service):
    """HTTPS only. What is in the bucket comes from ``python -m infra.upload``."""

    def __init__(self, scope: Construct, settings: Deployment) -> None:
        super().__init__(scope, "web", settings, "the page and its one address")
        self.bucket = self._bucket()
        self.headers = self._headers()
        api = self._api()
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=self.name("web"),
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            default_behavior=self._page(),
            additional_behaviors=dict.fromkeys(("/api/*", "/health"), api),
        )
        accept(self.distribution, _DISTRIBUTION)
        self.share("web/bucket", self.bucket.bucket_name)
        self.share("web/distribution", self.distribution.distribution_id)
        self.share("web/domain", self.distribution.domain_name)

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Page",
            bucket_name=f"{self.settings.prefix}-web-{Aws.ACCOUNT_ID}-{self.region}",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.DESTROY,
        )
        accept(bucket, _BUCKET)
        return bucket

    def _page(self) -> cloudfront.BehaviorOptions:
        views = cloudfront.Function(
            self,
            "Views",
            function_name=self.name(f"views-{self.region}"),
            code=cloudfront.FunctionCode.from_inline(VIEWS),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        asked = cloudfront.FunctionAssociation(event_type=cloudfront.FunctionEventType.VIEWER_REQUEST, function=views)
        return cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            response_headers_policy=self.headers,
            compress=True,
            function_associations=[asked],
        )

    def _api(self) -> cloudfront.BehaviorOptions:
        """Nothing is kept, and everything that the browser says is passed on but the host's name."""
        host = f"{self.shared('gateway/id')}.execute-api.{self.region}.{Aws.URL_SUFFIX}"
        return cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin(
                host,
                origin_path=f"/{STAGE}",
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            ),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=self.headers,
            compress=True,
        )

    def _headers(self) -> cloudfront.ResponseHeadersPolicy:
        """Those that the page's own server sends, to come back by HTTPS only, and which other origins may read."""
        referrer = cloudfront.HeadersReferrerPolicy.SAME_ORIGIN
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=self.name(f"headers-{self.region}"),
            cors_behavior=self._other_origins() if self.settings.origins else None,
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=policy(sign_in_origins(self)), override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(referrer_policy=referrer, override=True),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(HSTS_DAYS), include_subdomains=True, override=True
                ),
            ),
        )

    def _other_origins(self) -> cloudfront.ResponseHeadersCorsBehavior:
        """On every answer, whoever made it: a function, or the gateway that refuses."""
        return cloudfront.ResponseHeadersCorsBehavior(
            access_control_allow_credentials=False,
            access_control_allow_headers=list(SENT),
            access_control_allow_methods=list(METHODS),
            access_control_allow_origins=list(self.settings.origins),
            access_control_expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
            origin_override=True,
        )
