import type { Task, TaskFilter } from "../api/types";

const FINAL: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

/** Whether only a restart changes the task's status. */
export function isFinal(task: Task): boolean {
  return FINAL.has(task.status);
}

/** Whether a list with this filter holds the task. */
export function accepts(filter: TaskFilter, task: Task): boolean {
  return (
    (filter.status === undefined || task.status === filter.status) &&
    (filter.project_id === undefined || task.project_id === filter.project_id) &&
    (filter.task_type === undefined || task.task_type === filter.task_type) &&
    (filter.active === undefined || isFinal(task) !== filter.active)
  );
}

/** The API's order: newest first by creation, then by id. */
export function newestFirst(a: Task, b: Task): number {
  return compare(b.created_at, a.created_at) || compare(b.task_id, a.task_id);
}

/** What ended last comes first. */
export function endedLast(a: Task, b: Task): number {
  return compare(b.completed_at ?? b.updated_at, a.completed_at ?? a.updated_at) || newestFirst(a, b);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * A list after some tasks changed: those that now belong to it are in, at their place; the others are out.
 *
 * The same array comes back when nothing in it changed. `whole`: the list has no further page, so a task that is older
 * than its last one belongs to it too; otherwise such a task is on a later page.
 */
export function mergeTasks(
  list: Task[],
  changes: Iterable<Task>,
  filter: TaskFilter,
  whole: boolean,
): Task[] {
  const changed = new Map<string, Task>();
  for (const task of changes) changed.set(task.task_id, task);
  let touched = false;
  const kept: Task[] = [];
  for (const task of list) {
    const change = changed.get(task.task_id);
    changed.delete(task.task_id);
    const now = change && change.timestamp >= task.timestamp ? change : task;
    if (now !== task) touched = true;
    if (accepts(filter, now)) kept.push(now);
    else touched = true;
  }
  const last = list.at(-1);
  for (const task of changed.values()) {
    const within = whole || last === undefined || newestFirst(task, last) < 0;
    if (!accepts(filter, task) || !within) continue;
    kept.push(task);
    touched = true;
  }
  return touched ? kept.sort(newestFirst) : list;
}
