import { STATUSES, type Status } from "./api/types";

/** What the list of tasks is narrowed to, in its address. */
export interface TasksSearch {
  status?: Status;
  project?: string;
  type?: string;
}

/** The part of a search that means something; the rest is dropped. */
export function tasksSearch(search: Record<string, unknown>): TasksSearch {
  const status = STATUSES.find((each) => each === search.status);
  const text = (value: unknown) =>
    typeof value === "string" || typeof value === "number" ? String(value) || undefined : undefined;
  return { status, project: text(search.project), type: text(search.type) };
}
