import { Skeleton, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { oneTask } from "../api/queries";
import type { Task } from "../api/types";
import { Bar } from "../components/Bar";
import { HistoryTable } from "../components/HistoryTable";
import { LeftAndWhy } from "../components/Left";
import { Surface } from "../components/Section";
import { StatusMark } from "../components/StatusMark";
import { TaskActions } from "../components/TaskActions";
import { SourceLine, TaskFacts } from "../components/TaskFacts";
import { TaskName } from "../components/TaskName";
import { isMissing, LoadTrouble, Missing } from "../components/Trouble";
import { useI18n } from "../i18n/I18n";
import { doing } from "../lib/task";
import { useTitle } from "../lib/title";
import { useLive } from "../live/LiveProvider";
import { isFinal } from "../live/merge";
import { LogView } from "../log/LogView";
import styles from "./TaskPage.module.css";

/** One task: how far it is, what it does, its log as it comes, and its history. */
export function TaskPage() {
  const { t } = useI18n();
  const { taskId } = useParams({ from: "/tasks/$taskId" });
  const { data: task, error, refetch } = useQuery(oneTask(taskId));
  if (task) return <Shown task={task} />;
  if (isMissing(error)) return <Missing title={t.task.missing} text={t.task.missingHint} />;
  if (error) return <LoadTrouble error={error} retry={refetch} />;
  return <Loading />;
}

function Shown({ task }: { task: Task }) {
  const { t, format } = useI18n();
  const { log } = useLive();
  const percentage = task.progress?.percentage;
  const far = percentage === undefined || percentage === null ? null : format.percent(percentage);
  useTitle(isFinal(task) ? t.status[task.status] : far, task.task_name);
  return (
    <>
      <nav className={styles.crumbs} aria-label={t.nav.tasks}>
        <Link to="/tasks">{t.nav.tasks}</Link>
        <span aria-hidden="true">/</span>
        <span className={styles.id}>{task.task_id}</span>
      </nav>
      <div className={styles.head}>
        <TaskName task={task} />
        <TaskActions task={task} />
      </div>
      {task.status === "failed" && <Failure task={task} />}
      <Surface>
        <div className={styles.progress}>
          <Far task={task} far={far} />
          <Bar task={task} large />
          <div className={styles.doing}>
            <p>{doing(task)}</p>
            <LeftAndWhy task={task} />
          </div>
        </div>
        <div className={styles.facts}>
          <TaskFacts task={task} />
        </div>
        {task.details?.source && (
          <div className={styles.source}>
            <SourceLine source={task.details.source} />
          </div>
        )}
      </Surface>
      <Tabs defaultValue="log" keepMounted={false} className={styles.tabs}>
        <Tabs.List>
          <Tabs.Tab value="log">{t.task.log}</Tabs.Tab>
          <Tabs.Tab value="history">{t.task.history}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="log" className={styles.panel}>
          {log && <LogView key={task.task_id} store={log} />}
        </Tabs.Panel>
        <Tabs.Panel value="history" className={styles.panel}>
          <HistoryTable taskId={task.task_id} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Far({ task, far }: { task: Task; far: string | null }) {
  const { t, format } = useI18n();
  const count = format.count(task.progress);
  const none = isFinal(task) ? t.task.noFigureEver : t.task.noFigure;
  return (
    <div className={styles.far}>
      <span className={`figures ${styles.percent}`}>
        {far ?? count ?? <span className={styles.none}>{none}</span>}
      </span>
      {far && count && <span className={`figures ${styles.count}`}>{count}</span>}
      <span className={styles.status}>
        <StatusMark status={task.status} />
      </span>
    </div>
  );
}

function Failure({ task }: { task: Task }) {
  const { t } = useI18n();
  const message = task.details?.error_message;
  return (
    <section className={styles.failure} aria-label={t.task.failed}>
      <h2>{t.task.failed}</h2>
      {message ? <pre>{message}</pre> : <p>{t.task.failedUnsaid}</p>}
    </section>
  );
}

function Loading() {
  return (
    <div aria-busy="true" className={styles.loading}>
      <Skeleton height={14} width={220} />
      <Skeleton height={26} width="40%" />
      <Skeleton height={190} radius={10} />
      <Skeleton height={420} radius={10} />
    </div>
  );
}
