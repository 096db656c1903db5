/** The API's records under the names the page uses; `schema.ts` is generated from the OpenAPI document. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Task = Schemas["Task"];
export type Status = Task["status"];
/** What is absent is unknown: nothing may be claimed from it. */
export type Progress = Schemas["Progress"];
export type Estimate = Schemas["Estimate"];
export type Stopped = Schemas["Stopped"];
export type Source = Schemas["Source"];
export type GitHub = Schemas["GitHub"];
export type TaskPage = Schemas["TaskList"];
export type TaskPatch = Schemas["TaskPatch"];
export type Project = Schemas["ProjectView"];
export type ProjectPage = Schemas["ProjectList"];
export type Tally = Schemas["Tally"];
export type LogEvent = Schemas["LogEvent"];
export type Lines = Schemas["Lines"];

/** Every status, in the order in which the page shows them. */
export const STATUSES: readonly Status[] = [
  "running",
  "blocked",
  "pending",
  "completed",
  "failed",
  "cancelled",
];

/** Which tasks a list holds; what is absent does not limit it. */
export interface TaskFilter {
  status?: Status;
  project_id?: string;
  task_type?: string;
  active?: boolean;
}
