import { describe, expect, test } from "vitest";
import type { Task } from "../src/api/types";
import { endedLast, mergeTasks } from "../src/live/merge";
import { Newest } from "../src/live/newest";
import { task } from "./tasks";

const at = (minute: number) => `2026-11-23T12:${String(minute).padStart(2, "0")}:00.000Z`;
const ids = (tasks: Task[]) => tasks.map((each) => each.task_id);

describe("a list of tasks", () => {
  const list = [
    task("c", { created_at: at(3) }),
    task("b", { created_at: at(2) }),
    task("a", { created_at: at(1) }),
  ];

  test("takes a newer version in its place", () => {
    const newer = task("b", { created_at: at(2), timestamp: 2, task_name: "renamed" });
    expect(mergeTasks(list, [newer], {}, true)).toEqual([list[0], newer, list[2]]);
  });

  test("keeps the newer version when an older one comes late", () => {
    const older = task("b", { created_at: at(2), timestamp: 0 });
    expect(mergeTasks(list, [older], {}, true)).toBe(list);
  });

  test("stays the same array when nothing in it changed", () => {
    expect(mergeTasks(list, [task("x", { status: "failed" })], { status: "running" }, true)).toBe(list);
  });

  test("lets a task go that no longer belongs to it", () => {
    const done = task("b", { created_at: at(2), timestamp: 2, status: "completed" });
    expect(ids(mergeTasks(list, [done], { active: true }, true))).toEqual(["c", "a"]);
  });

  test("puts a new task where the order has it", () => {
    const fresh = task("n", { created_at: at(2), timestamp: 5 });
    expect(ids(mergeTasks(list, [fresh], {}, true))).toEqual(["c", "n", "b", "a"]);
  });

  test("leaves a task that belongs to a later page to that page", () => {
    const early = task("early", { created_at: at(0), timestamp: 5 });
    expect(mergeTasks(list, [early], {}, false)).toBe(list);
    expect(ids(mergeTasks(list, [early], {}, true))).toEqual(["c", "b", "a", "early"]);
  });

  test("holds only what its project, type and status filter let through", () => {
    const others = [task("x", { project_id: "other" }), task("y", { task_type: "cdk_deploy" })];
    expect(mergeTasks(list, others, { project_id: "shop", task_type: "build" }, true)).toBe(list);
  });
});

test("tasks that ended are ordered by their end", () => {
  const first = task("first", { created_at: at(9), completed_at: at(10) });
  const last = task("last", { created_at: at(1), completed_at: at(20) });
  expect(ids([first, last].toSorted(endedLast))).toEqual(["last", "first"]);
});

describe("the newest version seen", () => {
  test("wins over an answer that an event overtook", () => {
    const newest = new Newest();
    const event = newest.take(task("a", { timestamp: 7, status: "completed" }));
    expect(newest.take(task("a", { timestamp: 3 }))).toBe(event);
  });

  test("tells what changed after a moment", () => {
    const newest = new Newest();
    newest.take(task("before"));
    const mark = newest.mark();
    newest.take(task("after"));
    newest.take(task("before", { timestamp: 0 }));
    expect(ids(newest.since(mark))).toEqual(["after"]);
  });

  test("forgets the ones longest unchanged when there are very many", () => {
    const newest = new Newest();
    for (let index = 0; index < 10_500; index++) newest.take(task(`t${index}`));
    expect(newest.since(0)).toHaveLength(10_000);
    expect(newest.since(0)[0]?.task_id).toBe("t500");
  });
});
