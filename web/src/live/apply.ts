import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { keys, newest } from "../api/queries";
import type { Task, TaskFilter, TaskPage } from "../api/types";
import { mergeTasks } from "./merge";

const LONGEST_LIST = 500;

/** Writes changed tasks into every list and record that the page holds; an older version changes nothing. */
export function applyTasks(client: QueryClient, changed: Task[]): void {
  const current = changed.map((task) => newest.take(task));
  for (const [key, page] of client.getQueriesData<TaskPage>({ queryKey: ["tasks", "list"] })) {
    if (page) client.setQueryData(key, mergePage(page, current, key[2] as TaskFilter));
  }
  for (const [key, data] of client.getQueriesData<InfiniteData<TaskPage>>({ queryKey: ["tasks", "pages"] })) {
    if (data) client.setQueryData(key, mergePages(data, current, key[2] as TaskFilter));
  }
  for (const task of current) {
    client.setQueryData<Task>(keys.task(task.task_id), (known) => known && task);
  }
}

/** A list of the board: what changes now belongs on it, however long ago it began. */
function mergePage(page: TaskPage, changed: Task[], filter: TaskFilter): TaskPage {
  const tasks = mergeTasks(page.tasks, changed, filter, true);
  return tasks === page.tasks ? page : { ...page, tasks: tasks.slice(0, LONGEST_LIST) };
}

/** Pages joined, merged and kept as one list: a task that is new belongs to one page only. */
function mergePages(
  data: InfiniteData<TaskPage>,
  changed: Task[],
  filter: TaskFilter,
): InfiniteData<TaskPage> {
  const whole = data.pages.at(-1)?.next_cursor === null;
  const held = data.pages.flatMap((page) => page.tasks);
  const tasks = mergeTasks(held, changed, filter, whole);
  if (tasks === held) return data;
  const pages = data.pages.map((page, index) => ({ ...page, tasks: index === 0 ? tasks : [] }));
  return { ...data, pages };
}
