import { Button, NativeSelect } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { allProjects, taskPages } from "../api/queries";
import { STATUSES } from "../api/types";
import { LoadingRows } from "../components/Loading";
import { Surface } from "../components/Section";
import { TaskList } from "../components/TaskList";
import { LoadTrouble } from "../components/Trouble";
import { useI18n } from "../i18n/I18n";
import { useTitle } from "../lib/title";
import type { TasksSearch } from "../search";
import styles from "./TasksPage.module.css";

/** Every task there is, narrowed by what stands in the address. */
export function TasksPage() {
  const { t } = useI18n();
  const search = useSearch({ from: "/tasks" });
  const tasks = useInfiniteQuery(
    taskPages({ status: search.status, project_id: search.project, task_type: search.type }),
  );
  const held = tasks.data?.pages.flatMap((page) => page.tasks);
  useTitle(t.tasks.title);
  return (
    <>
      <div className={styles.head}>
        <h1>{t.tasks.title}</h1>
        {held && (
          <span className={`figures ${styles.shown}`} role="status">
            {tasks.hasNextPage ? t.tasks.shownMore(held.length) : t.tasks.shown(held.length)}
          </span>
        )}
        <Filters search={search} />
      </div>
      {tasks.isError && !held && <LoadTrouble error={tasks.error} retry={tasks.refetch} />}
      {tasks.isPending && <LoadingRows rows={6} />}
      {held?.length === 0 && <None search={search} />}
      {held && held.length > 0 && (
        <TaskList
          tasks={held}
          more={tasks.hasNextPage}
          loading={tasks.isFetchingNextPage}
          load={() => void tasks.fetchNextPage()}
          mixed
        />
      )}
    </>
  );
}

function Filters({ search }: { search: TasksSearch }) {
  const { t } = useI18n();
  const projects = useQuery(allProjects());
  const navigate = useNavigate({ from: "/tasks" });
  const set = (change: TasksSearch) => void navigate({ search: { ...search, ...change }, replace: true });
  const types = [...new Set([...Object.keys(t.type), ...(search.type ? [search.type] : [])])];
  const ids = new Set(projects.data?.map((project) => project.project_id));
  if (search.project) ids.add(search.project);
  return (
    <div className={styles.filters}>
      <NativeSelect
        size="xs"
        aria-label={t.tasks.status}
        value={search.status ?? ""}
        onChange={(event) => set({ status: STATUSES.find((each) => each === event.currentTarget.value) })}
        data={[
          { value: "", label: `${t.tasks.status}: ${t.tasks.any}` },
          ...STATUSES.map((status) => ({ value: status, label: t.status[status] })),
        ]}
      />
      <NativeSelect
        size="xs"
        aria-label={t.tasks.project}
        value={search.project ?? ""}
        onChange={(event) => set({ project: event.currentTarget.value || undefined })}
        data={[{ value: "", label: `${t.tasks.project}: ${t.tasks.any}` }, ...ids]}
      />
      <NativeSelect
        size="xs"
        aria-label={t.tasks.type}
        value={search.type ?? ""}
        onChange={(event) => set({ type: event.currentTarget.value || undefined })}
        data={[
          { value: "", label: `${t.tasks.type}: ${t.tasks.any}` },
          ...types.map((type) => ({ value: type, label: t.type[type] ?? type })),
        ]}
      />
    </div>
  );
}

function None({ search }: { search: TasksSearch }) {
  const { t } = useI18n();
  const navigate = useNavigate({ from: "/tasks" });
  const narrowed = Object.values(search).some((value) => value !== undefined);
  return (
    <Surface>
      <div className={styles.none}>
        <p>{narrowed ? t.empty.tasks : t.empty.title}</p>
        {narrowed && (
          <Button variant="default" size="xs" onClick={() => void navigate({ search: {} })}>
            {t.empty.clear}
          </Button>
        )}
      </div>
    </Surface>
  );
}
