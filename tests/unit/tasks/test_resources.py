"""What a deployment made, as the API tells it."""

from __future__ import annotations

from collections.abc import Callable

from miyabi.model import NewEvent, RunStart, marker_line

from .conftest import Bench, Story

EVENT = "Shop | {n}/3 | 3:35:07 AM | {status:<20} | AWS::SQS::Queue | Queue (Queue1F)"


async def printed(bench: Bench, *lines: str) -> None:
    for line in lines:
        bench.clock.forward(1500)
        await bench.stores.logs.append("/miyabi/cdk-deploy", "a", [NewEvent(bench.clock(), line)])


def test_a_deployment_s_resources_come_with_their_durations(tell: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", task_type="cdk_deploy")
        await printed(
            bench, EVENT.format(n=0, status="CREATE_IN_PROGRESS"), EVENT.format(n=1, status="CREATE_COMPLETE")
        )
        answer = await bench.ask("GET", "/api/tasks/a/resources")
        assert answer.status == 200
        (resource,) = answer.json()["resources"]
        assert answer.json()["whole"] is True
        assert (resource["name"], resource["action"], resource["state"]) == ("Queue", "create", "completed")
        assert (resource["kind"], resource["stack"], resource["duration_seconds"]) == ("AWS::SQS::Queue", "Shop", 1.5)
        assert resource["ended_at"] > resource["started_at"]

    tell(story)


def test_an_earlier_run_in_the_stream_is_over(tell: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        await bench.made("a", task_type="cdk_deploy")
        start = marker_line(RunStart("r2", "deploy", "cdk_deploy", "shop"))
        await printed(bench, EVENT.format(n=0, status="CREATE_IN_PROGRESS"), start, "nothing to deploy")
        assert (await bench.ask("GET", "/api/tasks/a/resources")).json() == {"resources": [], "whole": True}

    tell(story)


def test_no_task_has_no_resources(tell: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        assert (await bench.ask("GET", "/api/tasks/nobody/resources")).status == 404

    tell(story)


def test_reading_again_a_task_that_is_not_there_is_said(tell: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        assert (await bench.ask("POST", "/api/tasks/nobody/reread")).status == 404

    tell(story)
