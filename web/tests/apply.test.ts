import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { activeTasks, endedTasks, keys, taskPages } from "../src/api/queries";
import type { Task } from "../src/api/types";
import { applyTasks } from "../src/live/apply";
import { atMostEvery } from "../src/live/once";
import { task } from "./tasks";

const page = (...tasks: Task[]) => ({ tasks, next_cursor: null });

/** A page that holds the board's lists, all tasks, and one task's record. */
function holding(...tasks: Task[]) {
  const client = new QueryClient();
  client.setQueryData(activeTasks().queryKey, page(...tasks));
  client.setQueryData(endedTasks().queryKey, page());
  client.setQueryData(taskPages({}).queryKey, { pages: [page(...tasks)], pageParams: [null] });
  for (const each of tasks) client.setQueryData(keys.task(each.task_id), each);
  const shown = () => ({
    active: client.getQueryData(activeTasks().queryKey)?.tasks,
    ended: client.getQueryData(endedTasks().queryKey)?.tasks,
    all: client.getQueryData(taskPages({}).queryKey)?.pages.flatMap((each) => each.tasks),
  });
  return { client, shown };
}

describe("a change that comes as an event", () => {
  test("is shown in every list and on the task's own page", () => {
    const { client, shown } = holding(task("apply-1"));
    const done = task("apply-1", { timestamp: 2, status: "completed" });
    applyTasks(client, [done]);
    expect(shown()).toEqual({ active: [], ended: [done], all: [done] });
    expect(client.getQueryData(keys.task("apply-1"))).toEqual(done);
  });

  test("never turns a task back to an older version", () => {
    const now = task("apply-2", { timestamp: 5, task_name: "new" });
    const { client, shown } = holding(now);
    applyTasks(client, [now]);
    applyTasks(client, [task("apply-2", { timestamp: 4, task_name: "old", status: "failed" })]);
    expect(shown()).toEqual({ active: [now], ended: [], all: [now] });
    expect(client.getQueryData(keys.task("apply-2"))).toEqual(now);
  });

  test("adds a new task once, however many pages are held", () => {
    const { client, shown } = holding(task("apply-3"));
    client.setQueryData(taskPages({}).queryKey, {
      pages: [page(task("apply-3")), page(task("apply-0", { created_at: "2026-11-22T12:00:00.000Z" }))],
      pageParams: [null, "next"],
    });
    applyTasks(client, [task("apply-4", { created_at: "2026-11-23T13:00:00.000Z" })]);
    expect(shown().all?.map((each) => each.task_id)).toEqual(["apply-4", "apply-3", "apply-0"]);
  });

  test("leaves alone what the page does not hold", () => {
    const client = new QueryClient();
    applyTasks(client, [task("apply-5")]);
    expect(client.getQueryCache().getAll()).toEqual([]);
  });
});

describe("what is done at most so often", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("is done at once, and once more at the end when it was asked for meanwhile", () => {
    const done = vi.fn();
    const ask = atMostEvery(1_000, done);
    ask();
    expect(done).toHaveBeenCalledTimes(1);
    ask();
    ask();
    vi.advanceTimersByTime(999);
    expect(done).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(done).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(5_000);
    expect(done).toHaveBeenCalledTimes(2);
  });
});
