"""All stacks on a stand-in for AWS, by the pinned CDK: brought up, used as people and jobs use it, and taken down."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
from playwright.sync_api import expect
from tests.support.aws import CDK, ROOT, SECRET, Aws, deployed, destroy
from tests.support.board import run_line
from tests.support.browser import Window
from tests.support.shop import BEFORE, TOTAL, gate
from tests.support.until import until

pytestmark = pytest.mark.timeout(600)
ELSEWHERE = "https://pages.example.org"
BEFORE_PERCENT = 100 * BEFORE // TOTAL
SECONDS = 300
"""Longest that anything may take that has begun: a deploy beside others on two cores, a function's first answer."""
DEPLOYS, JOBS = "/miyabi/cdk-deploy", "/miyabi/jobs"
COLLECTOR, FAILED = "miyabi-collector", "miyabi-collector-failed"
SWEEP = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """Deployed, and no sweep comes by itself: what is read was pushed, or a test has called for it."""
    with deployed((f"secret_parameter={SECRET}", f"origins={ELSEWHERE}")) as aws:
        aws.client("ssm").put_parameter(Name=SECRET, Value=secrets.token_urlsafe(32), Type="SecureString")
        aws.client("events").disable_rule(Name="miyabi-sweep")
        yield aws


class Tokens(NamedTuple):
    """One for each kind of user."""

    viewer: str
    job: str
    """Of a job, for the groups :data:`DEPLOYS` and :data:`JOBS`."""


@pytest.fixture(scope="module")
def tokens(aws: Aws) -> Tokens:
    return Tokens(aws.token("bob"), aws.token("ci", "--group", DEPLOYS, "--group", JOBS))


@pytest.fixture(scope="module")
def url(aws: Aws) -> Iterator[str]:
    """The page's address for browsers and jobs."""
    with aws.front() as url:
        yield url


@pytest.fixture
def job(aws: Aws, tokens: Tokens, url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Begin ``miyabi run`` of a command whose board is the deployment, under the id given first, its name as well."""
    begun: list[subprocess.Popen[bytes]] = []
    env = {**aws.environment, "MIYABI_URL": url, "MIYABI_TOKEN": tokens.job, "MIYABI_DATA": str(tmp_path)}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def begin(task_id: str, *command: str) -> subprocess.Popen[bytes]:
        line = run_line(*command, options=["--task-id", task_id, "--name", task_id, "--project", "shop"])
        begun.append(subprocess.Popen(line, env=env, cwd=ROOT, **quiet))  # type: ignore[call-overload]
        return begun[-1]

    yield begin
    for process in begun:
        process.terminate()
        process.wait(SECONDS)


@pytest.fixture
def view(url: str, tokens: Tokens, look: Callable[[str], Window]) -> Callable[[str], Window]:
    """Opens a view of the page by its path in Chromium, for somebody who signs in with the viewer's token."""

    def view(path: str) -> Window:
        window = look(url + path)
        window.sign_in(tokens.viewer)
        return window

    return view


def expect_halfway(window: Window, task_id: str) -> None:
    """The page shows the deploy that waits at its gate, and comes again for what changes."""
    with window.page.expect_response(lambda answer: answer.ok and "last_event_id=" in answer.url):
        expect(window.page.get_by_role("status").filter(has_text="Live")).to_be_visible()
    bar = window.bar(task_id)
    expect(bar).to_have_attribute("aria-valuetext", f"52 %, {BEFORE}/{TOTAL}")
    expect(bar).to_have_attribute("aria-valuenow", str(BEFORE_PERCENT))
    expect(window.page.get_by_text(f"{BEFORE}/{TOTAL}", exact=True)).to_be_visible()


def deploy(stack: str, gate_url: str, folder: Path) -> list[str]:
    """A ``cdk deploy`` of somebody else's app, as people type it."""
    app = f"{sys.executable} -m tests.support.shop {stack} {gate_url}"
    options = ["--app", app, "--output", str(folder / "cdk.out"), "--progress", "events", "--require-approval", "never"]
    return [str(CDK), "deploy", stack, *options]


def progress(task: Mapping[str, Any] | None) -> tuple[int | None, int | None]:
    found = (task or {}).get("progress", {})
    return found.get("current"), found.get("total")


def ended(aws: Aws, tokens: Tokens, task_id: str) -> dict[str, Any]:
    """The task, once it has ended."""

    def look() -> dict[str, Any] | None:
        task: dict[str, Any] | None = aws.read(f"/api/tasks/{task_id}", tokens.viewer)
        return task if task and "completed_at" in task else None

    return until(look, f"{task_id} has ended", 30)


def stacks(aws: Aws) -> set[str]:
    found = aws.client("cloudformation").list_stacks()["StackSummaries"]
    names = {one["StackName"] for one in found if one["StackStatus"].endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE"))}
    return {name for name in names if name.startswith("miyabi-")}


def test_all_services_are_up(aws: Aws) -> None:
    services = "network logs database cache tasks collector gateway web auth operations"
    assert stacks(aws) == {f"miyabi-{name}" for name in services.split()}


@pytest.mark.parametrize("path", ["/", "/tasks/cdk.deploy-1", "/projects/web"])
def test_views_of_the_page_come_from_the_bucket_by_https(aws: Aws, path: str) -> None:
    answer = aws.ask(path)
    assert answer.status == 200
    assert b"<title>Miyabi" in answer.body
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert aws.ask(path, scheme="http").status == 301


def test_hashed_files_are_kept_by_browsers_and_the_index_is_not(aws: Aws) -> None:
    page = aws.ask("/").body.decode()
    script = page.partition('src="/assets/')[2].partition('"')[0]
    assert "immutable" in aws.ask(f"/assets/{script}").headers["cache-control"]
    assert aws.ask("/").headers["cache-control"] == "no-cache"
    assert aws.ask("/assets/gone.js").status in (403, 404)


@pytest.mark.parametrize("path", ["/api/tasks", "/api/tasks/a", "/api/tasks/a/logs", "/api/projects", "/api/events"])
def test_nobody_passes_the_gateway_without_a_token(aws: Aws, path: str) -> None:
    answer = aws.ask(path)
    assert answer.status == 401
    assert b"<title>" not in answer.body


@pytest.mark.parametrize("token", ["Bearer", "Bearer x.y.z", "Basic YTpi"])
def test_nobody_passes_it_with_a_bad_one(aws: Aws, token: str) -> None:
    assert aws.ask("/api/tasks", Authorization=token).status == 401


def test_a_viewer_reads_and_changes_nothing(aws: Aws, tokens: Tokens) -> None:
    bearer = f"Bearer {tokens.viewer}"
    assert aws.ask("/api/tasks", Authorization=bearer).status == 200
    for path in ("/api/tasks", "/api/collect", "/api/logs/miyabi/jobs/x"):
        assert aws.ask(path, "POST", Authorization=bearer).status == 403


def test_a_jobs_token_appends_to_its_groups_and_does_nothing_else(aws: Aws, tokens: Tokens) -> None:
    def append(group: str) -> int:
        event = {"timestamp": time.time_ns() // 1_000_000, "message": "hello"}
        sent = {"Authorization": f"Bearer {tokens.job}", "Content-Type": "application/json"}
        return aws.ask(f"/api/logs{group}/x", "POST", json.dumps({"events": [event]}), **sent).status

    assert 200 <= append(JOBS) < 300
    assert append("/miyabi/agents") == 403
    for method, path in (("GET", "/api/tasks"), ("GET", "/api/logs/miyabi/jobs/x"), ("POST", "/api/collect")):
        assert aws.ask(path, method, Authorization=f"Bearer {tokens.job}").status == 403


def test_more_requests_than_the_rate_are_turned_away(aws: Aws, tokens: Tokens) -> None:
    with settings_of_the_stage(aws, "throttling", rateLimit="1", burstLimit="2"):
        answers = [aws.ask("/api/tasks", Authorization=f"Bearer {tokens.viewer}").status for _ in range(12)]
    assert set(answers) == {200, 429}
    assert aws.ask("/api/tasks", Authorization=f"Bearer {tokens.viewer}").status == 200


@contextmanager
def settings_of_the_stage(aws: Aws, kind: str, **given: str) -> Iterator[None]:
    """The deployed stage with other settings for as long as the block takes."""
    gateway, stage = aws.client("apigateway"), {"restApiId": aws.shared("gateway/id"), "stageName": "live"}
    kept = gateway.get_stage(**stage)["methodSettings"]["*/*"]

    def change(values: Mapping[str, str]) -> None:
        changes = [{"op": "replace", "path": f"/*/*/{kind}/{name}", "value": value} for name, value in values.items()]
        gateway.update_stage(**stage, patchOperations=changes)

    change(given)
    try:
        yield
    finally:
        change({name: str(kept[f"{kind}{name[0].upper()}{name[1:]}"]) for name in given})


@pytest.mark.parametrize("origin", [ELSEWHERE, "https://evil.example.org"])
def test_answers_and_refusals_may_be_read_by_the_named_origin_alone(aws: Aws, tokens: Tokens, origin: str) -> None:
    preflight = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    for method, headers in (("GET", {"Authorization": f"Bearer {tokens.viewer}"}), ("GET", {}), ("OPTIONS", preflight)):
        answer = aws.ask("/api/tasks", method, Origin=origin, **headers)
        assert (answer.headers.get("access-control-allow-origin") == origin) == (origin == ELSEWHERE)


def test_the_schedule_reads_what_no_push_told_of(
    aws: Aws, tokens: Tokens, job: Callable[..., subprocess.Popen[bytes]]
) -> None:
    logs = aws.client("logs")
    [filter] = logs.describe_subscription_filters(logGroupName=JOBS)["subscriptionFilters"]
    logs.delete_subscription_filter(logGroupName=JOBS, filterName=filter["filterName"])
    try:
        assert job("unpushed", "echo", "Step 3/4").wait(60) == 0
        assert aws.read("/api/tasks/unpushed", tokens.viewer) is None
        assert aws.call(COLLECTOR, SWEEP)["lines"] > 0
    finally:
        wanted = ("logGroupName", "filterName", "filterPattern", "destinationArn")
        logs.put_subscription_filter(**{name: filter[name] for name in wanted})
    task = ended(aws, tokens, "unpushed")
    assert (task["status"], progress(task)) == ("completed", (3, 4))


def test_a_poisoned_delivery_is_set_aside_and_one_that_can_t_be_stored_is_kept_and_collected_later(
    aws: Aws, tokens: Tokens, job: Callable[..., subprocess.Popen[bytes]]
) -> None:
    poisoned = {"awslogs": {"data": "!!!"}}
    [result] = aws.call(COLLECTOR, poisoned)
    assert "no Base64" in result["damaged"][0]["reason"]
    with environment_of_the_collector(aws, "MIYABI_DATABASE", "prefix=miyabi", "prefix=gone"):
        assert job("late", "echo", "Step 2/2").wait(60) == 0
        for event in (poisoned, pushed(JOBS, "late")):
            aws.client("lambda").invoke(FunctionName=COLLECTOR, InvocationType="Event", Payload=json.dumps(event))
        [kept] = until(lambda: received(aws), "the queue has something", 60)
    assert aws.read("/api/tasks/late", tokens.viewer) is None
    assert kept["requestPayload"] != poisoned
    assert kept["requestContext"]["approximateInvokeCount"] == 3
    assert "a table is not there" in kept["responsePayload"]["errorMessage"]
    aws.call(COLLECTOR, {"Records": [{"eventSource": "aws:sqs", "body": json.dumps(kept)}]})
    assert ended(aws, tokens, "late")["status"] == "completed"
    assert received(aws) == [], "the poisoned one did not come after it"


def pushed(group: str, stream: str) -> dict[str, Any]:
    """What a subscription delivers: that there is a new line in a stream."""
    event = {"id": "0", "timestamp": time.time_ns() // 1_000_000, "message": "new"}
    about = {"owner": "0", "logGroup": group, "logStream": stream, "subscriptionFilters": [COLLECTOR]}
    message = json.dumps({"messageType": "DATA_MESSAGE", **about, "logEvents": [event]})
    return {"awslogs": {"data": base64.b64encode(gzip.compress(message.encode())).decode()}}


def received(aws: Aws) -> list[dict[str, Any]]:
    """What the queue of failed calls has; it is taken out."""
    queue = aws.client("sqs")
    address = queue.get_queue_url(QueueName=FAILED)["QueueUrl"]
    found = queue.receive_message(QueueUrl=address, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", [])
    for one in found:
        queue.delete_message(QueueUrl=address, ReceiptHandle=one["ReceiptHandle"])
    return [json.loads(one["Body"]) for one in found]


@contextmanager
def environment_of_the_collector(aws: Aws, name: str, old: str, new: str) -> Iterator[None]:
    """The collector with ``new`` for ``old`` in one of its settings for as long as the block takes."""
    function = aws.client("lambda")
    kept = function.get_function_configuration(FunctionName=COLLECTOR)["Environment"]
    other = {"Variables": {**kept["Variables"], name: kept["Variables"][name].replace(old, new)}}
    assert other != kept
    function.update_function_configuration(FunctionName=COLLECTOR, Environment=other)
    try:
        yield
    finally:
        function.update_function_configuration(FunctionName=COLLECTOR, Environment=kept)


def test_a_deploy_is_followed_from_its_lines_to_the_page_and_its_end_comes_by_itself(
    aws: Aws,
    tokens: Tokens,
    job: Callable[..., subprocess.Popen[bytes]],
    view: Callable[[str], Window],
    tmp_path: Path,
) -> None:
    with gate() as waiting:
        process = job("deploy-shop", *deploy("Shop", waiting.url, tmp_path))
        assert waiting.reached.wait(SECONDS)

        def halfway() -> dict[str, Any] | None:
            task: dict[str, Any] | None = aws.read("/api/tasks/deploy-shop", tokens.viewer)
            return task if progress(task) == (BEFORE, TOTAL) else None

        task = until(halfway, "15 of 29", 30)
        assert (task["status"], task["task_type"], task["progress"]["percentage"]) == ("running", "cdk_deploy", 51.7)
        assert progress(in_redis(aws, "deploy-shop")) == (BEFORE, TOTAL)
        assert progress(in_dynamodb(aws, "deploy-shop")) == (BEFORE, TOTAL)
        assert any(f"Shop | {BEFORE}/{TOTAL} |" in line for line in lines(aws, DEPLOYS, "deploy-shop"))
        window = view("/")
        expect_halfway(window, "deploy-shop")
        expect(window.row("Running", "deploy-shop")).to_be_visible()
        waiting.open()
        assert process.wait(60) == 0
    row = window.row("Just ended", "deploy-shop")
    expect(row.get_by_text("Completed", exact=True)).to_be_visible()
    expect(row.get_by_text(f"{TOTAL}/{TOTAL}", exact=True)).to_be_visible()
    expect(window.row("Running", "deploy-shop")).to_have_count(0)
    assert BEFORE_PERCENT in window.percentages("deploy-shop"), "the page was not loaded again"
    task = ended(aws, tokens, "deploy-shop")
    assert (task["status"], progress(task)) == ("completed", (TOTAL, TOTAL))
    made = aws.read("/api/tasks/deploy-shop/resources", tokens.viewer)["resources"]
    assert len(made) == TOTAL
    assert {one["state"] for one in made} == {"completed"}
    seen = [progress(version) for version in aws.read("/api/tasks/deploy-shop/history", tokens.viewer)["tasks"]]
    assert seen[0] == (TOTAL, TOTAL)
    assert (seen[-1][0] or 0) <= BEFORE, "its history begins before the gate"
    assert "deploy-shop" in {one["task_id"] for one in aws.read("/api/tasks?project_id=shop", tokens.viewer)["tasks"]}


def in_redis(aws: Aws, task_id: str) -> Any:
    with redis.Redis.from_url(aws.redis) as client:
        return json.loads(client.get(f"task:{task_id}"))


def in_dynamodb(aws: Aws, task_id: str) -> Any:
    key = {"task_id": {"S": task_id}, "timestamp": {"N": "0"}}
    return json.loads(aws.client("dynamodb").get_item(TableName="miyabi-tasks", Key=key)["Item"]["record"]["S"])


def lines(aws: Aws, group: str, stream: str) -> list[str]:
    found = aws.client("logs").get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    return [event["message"] for event in found["events"]]


def test_a_deploy_that_fails_shows_the_rollback_and_why(
    aws: Aws,
    tokens: Tokens,
    job: Callable[..., subprocess.Popen[bytes]],
    view: Callable[[str], Window],
    tmp_path: Path,
) -> None:
    with gate() as waiting:
        process = job("deploy-full", *deploy("Full", waiting.url, tmp_path))
        assert waiting.reached.wait(SECONDS)
        window = view("/tasks/deploy-full")
        expect_halfway(window, "deploy-full")
        waiting.open("no shelf is free")
        assert process.wait(60) == 1
    expect(window.page.get_by_role("region", name="Why it failed")).to_contain_text("no shelf is free")
    expect(window.page.get_by_text("Failed", exact=True)).to_be_visible()
    expect(window.page.get_by_text("Full: rollback")).to_be_visible()
    expect(window.page.get_by_text("Exited with 1")).to_be_visible()
    assert BEFORE_PERCENT in window.percentages("deploy-full"), "the page was not loaded again"
    task = ended(aws, tokens, "deploy-full")
    assert task["status"] == "failed"
    assert "no shelf is free" in task["details"]["error_message"]
    assert "rollback" in task["details"]["phase"]
    states = {
        one["name"]: one["state"] for one in aws.read("/api/tasks/deploy-full/resources", tokens.viewer)["resources"]
    }
    assert states["Stock"] == "failed"
    assert any("ROLLBACK_IN_PROGRESS" in line for line in lines(aws, DEPLOYS, "deploy-full"))


def test_what_is_taken_down_leaves_its_data_until_that_is_asked_for(aws: Aws) -> None:
    """The last test here: nothing is up after it."""
    destroy(aws)
    assert stacks(aws) == set()
    assert aws.client("dynamodb").list_tables()["TableNames"] == ["miyabi-projects", "miyabi-tasks"]
    groups = {one["logGroupName"] for one in aws.client("logs").describe_log_groups()["logGroups"]}
    assert {"/miyabi/agents", "/miyabi/cdk-deploy", "/miyabi/system"} <= groups
