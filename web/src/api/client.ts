import { session } from "../session/current";
import type { Lines, Project, ProjectPage, Task, TaskFilter, TaskPage, TaskPatch } from "./types";

/** An answer that is not what was asked for: the problem details of the API, or none when nobody answered. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
    this.name = "ApiError";
  }
}

/** Status of an {@link ApiError} when the board could not be reached at all. */
export const UNREACHABLE = 0;

type Query = Record<string, string | number | boolean | null | undefined>;

/** A path with its query; what is undefined or null is left out, an empty text is not. */
export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return search ? `${path}?${search}` : path;
}

/** An answer to the token of this tab; a refused one is sent again with a fresh one, where that can be had. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const { token } = session;
  const response = await fetch(path, withToken(init, token));
  if (response.status !== 401 || !(await session.refused(token))) return response;
  return fetch(path, withToken(init, session.token));
}

function withToken(init: RequestInit, token: string | null): RequestInit {
  if (token === null) return init;
  return { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } };
}

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await send(path, init);
  } catch (error) {
    if (init?.signal?.aborted) throw error;
    throw new ApiError(UNREACHABLE, "", "");
  }
  if (!response.ok) throw await problem(response);
  return (await response.json()) as T;
}

async function problem(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const { title, detail } = (body ?? {}) as { title?: string; detail?: string };
  return new ApiError(response.status, title ?? response.statusText, detail ?? "");
}

const part = encodeURIComponent;

export const api = {
  tasks: (filter: TaskFilter, limit: number, cursor?: string | null, signal?: AbortSignal) =>
    call<TaskPage>(address("/api/tasks", { ...filter, limit, cursor }), { signal }),

  task: (id: string, signal?: AbortSignal) => call<Task>(`/api/tasks/${part(id)}`, { signal }),

  change: (id: string, patch: TaskPatch) =>
    call<Task>(`/api/tasks/${part(id)}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(patch),
    }),

  history: (id: string, limit: number, cursor?: string | null, signal?: AbortSignal) =>
    call<TaskPage>(address(`/api/tasks/${part(id)}/history`, { limit, cursor }), { signal }),

  /** Lines after a place, or the last ones before it (`""`: the end). */
  lines: (id: string, range: { after: string } | { before: string }, limit: number, signal?: AbortSignal) =>
    call<Lines>(address(`/api/tasks/${part(id)}/logs`, { ...range, limit }), { signal }),

  projects: (cursor?: string | null, signal?: AbortSignal) =>
    call<ProjectPage>(address("/api/projects", { limit: 200, cursor }), { signal }),

  project: (id: string, signal?: AbortSignal) => call<Project>(`/api/projects/${part(id)}`, { signal }),
};
