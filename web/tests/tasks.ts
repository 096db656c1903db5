import type { Task } from "../src/api/types";

/** A task, running unless told otherwise. */
export function task(id: string, change: Partial<Task> = {}): Task {
  return {
    task_id: id,
    timestamp: 1,
    task_name: id,
    task_type: "build",
    status: "running",
    project_id: "shop",
    created_at: "2026-11-23T12:00:00.000Z",
    updated_at: "2026-11-23T12:00:00.000Z",
    ...change,
  };
}
