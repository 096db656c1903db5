import type { Tally, Task } from "../api/types";
import { STATUSES } from "../api/types";

/** When the task began to run, as far as is known; ms. */
export function startOf(task: Task): number {
  return Date.parse(task.details?.started_at ?? task.created_at);
}

/** Seconds that the task ran, or has run by `now` (ms). */
export function secondsOf(task: Task, now: number): number {
  if (task.duration_seconds !== undefined && task.duration_seconds !== null) return task.duration_seconds;
  const end = task.completed_at ? Date.parse(task.completed_at) : now;
  return Math.max(0, (end - startOf(task)) / 1000);
}

/** What the task does just now: `deploying · MiyabiStack`. */
export function doing(task: Task): string {
  const { phase, current_step: step } = task.details ?? {};
  return [phase, step].filter((part) => part).join(" · ");
}

/** The tallies of projects added up: how many tasks are in each status. */
export function totals(tallies: readonly Tally[]): Tally {
  const sum = {} as Tally;
  for (const status of STATUSES) {
    sum[status] = tallies.reduce((count, tally) => count + (tally[status] ?? 0), 0);
  }
  return sum;
}

/** All tasks of a tally. */
export function countOf(tally: Tally): number {
  return STATUSES.reduce((count, status) => count + (tally[status] ?? 0), 0);
}
