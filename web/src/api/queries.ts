import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { accepts, mergeTasks } from "../live/merge";
import { Newest } from "../live/newest";
import { api } from "./client";
import type { Project, Task, TaskFilter, TaskPage } from "./types";

/** All task records pass through it, whichever way they come. */
export const newest = new Newest();

const BOARD_ACTIVE = 200;
const BOARD_ENDED = 30;
const PAGE = 100;
const PROJECT_PAGES = 10;

export const keys = {
  list: (filter: TaskFilter) => ["tasks", "list", filter] as const,
  pages: (filter: TaskFilter) => ["tasks", "pages", filter] as const,
  task: (id: string) => ["tasks", "one", id] as const,
  history: (id: string) => ["tasks", "history", id] as const,
  projects: ["projects"] as const,
  project: (id: string) => ["projects", id] as const,
};

/** A page as it stands now: what changed while it was on its way is in it. */
async function current(filter: TaskFilter, ask: () => Promise<TaskPage>): Promise<TaskPage> {
  const mark = newest.mark();
  const page = await ask();
  const tasks = page.tasks.map((task) => newest.take(task)).filter((task) => accepts(filter, task));
  return { ...page, tasks: mergeTasks(tasks, newest.since(mark), filter, page.next_cursor === null) };
}

function list(filter: TaskFilter, limit: number) {
  return queryOptions({
    queryKey: keys.list(filter),
    queryFn: ({ signal }) => current(filter, () => api.tasks(filter, limit, null, signal)),
  });
}

export const activeTasks = () => list({ active: true }, BOARD_ACTIVE);
export const endedTasks = () => list({ active: false }, BOARD_ENDED);

/** Every task that the filter lets through, page by page. */
export const taskPages = (filter: TaskFilter) =>
  infiniteQueryOptions({
    queryKey: keys.pages(filter),
    queryFn: ({ pageParam, signal }) => current(filter, () => api.tasks(filter, PAGE, pageParam, signal)),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const oneTask = (id: string) =>
  queryOptions({
    queryKey: keys.task(id),
    queryFn: async ({ signal }): Promise<Task> => newest.take(await api.task(id, signal)),
  });

export const taskHistory = (id: string) =>
  infiniteQueryOptions({
    queryKey: keys.history(id),
    queryFn: ({ pageParam, signal }) => api.history(id, PAGE, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const allProjects = () =>
  queryOptions({
    queryKey: keys.projects,
    queryFn: async ({ signal }): Promise<Project[]> => {
      const projects: Project[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < PROJECT_PAGES; page++) {
        const answer = await api.projects(cursor, signal);
        projects.push(...answer.projects);
        cursor = answer.next_cursor;
        if (cursor === null) break;
      }
      return projects;
    },
  });

export const oneProject = (id: string) =>
  queryOptions({ queryKey: keys.project(id), queryFn: ({ signal }) => api.project(id, signal) });
