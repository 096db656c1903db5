import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { activeTasks, allProjects, endedTasks } from "../api/queries";
import type { Task } from "../api/types";
import { Counts } from "../components/Counts";
import { EmptyBoard } from "../components/EmptyBoard";
import { LoadingRows } from "../components/Loading";
import { Note, Section, Surface } from "../components/Section";
import { TaskList } from "../components/TaskList";
import { TaskRow } from "../components/TaskRow";
import { LoadTrouble } from "../components/Trouble";
import { useI18n } from "../i18n/I18n";
import { totals } from "../lib/task";
import { useTitle } from "../lib/title";
import { endedLast } from "../live/merge";
import styles from "./BoardPage.module.css";

const ENDED_SHOWN = 12;
const DRAWN_WHOLE = 30;

/** Home: what runs now, first; then what waits; then what just ended. */
export function BoardPage() {
  const { t } = useI18n();
  const active = useQuery(activeTasks());
  const ended = useQuery(endedTasks());
  const projects = useQuery(allProjects());
  const tally = useMemo(
    () => projects.data && totals(projects.data.map((each) => each.tally)),
    [projects.data],
  );
  const running = useMemo(
    () => active.data?.tasks.filter((task) => task.status === "running"),
    [active.data],
  );
  const waiting = active.data?.tasks.filter((task) => task.status !== "running") ?? [];
  const last = ended.data?.tasks.toSorted(endedLast).slice(0, ENDED_SHOWN) ?? [];
  useBoardTitle(running ?? []);

  if (active.isError && !active.data) return <LoadTrouble error={active.error} retry={active.refetch} />;
  const empty = active.data?.tasks.length === 0 && ended.data?.tasks.length === 0;
  if (empty) return <Empty />;
  return (
    <>
      <h1 className="unseen">{t.board.title}</h1>
      <div className={styles.counts}>
        <Counts tally={tally ?? null} />
      </div>
      <Section title={t.board.running} count={running?.length}>
        {running ? <Running tasks={running} total={tally?.running ?? 0} /> : <LoadingRows rows={3} />}
      </Section>
      {waiting.length > 0 && (
        <Section title={t.board.waiting} count={waiting.length}>
          <Rows tasks={waiting} />
        </Section>
      )}
      {last.length > 0 && (
        <Section title={t.board.ended}>
          <Rows tasks={last} />
          <p className={styles.all}>
            <Link to="/tasks">{t.board.all}</Link>
          </p>
        </Section>
      )}
    </>
  );
}

function Empty() {
  const { t } = useI18n();
  return (
    <>
      <h1 className="unseen">{t.board.title}</h1>
      <EmptyBoard />
    </>
  );
}

/** Some rows as they are; of many, only those that are seen. */
function Rows({ tasks }: { tasks: Task[] }) {
  if (tasks.length > DRAWN_WHOLE) return <TaskList tasks={tasks} />;
  return (
    <Surface as="ul">
      {tasks.map((task) => (
        <TaskRow key={task.task_id} task={task} />
      ))}
    </Surface>
  );
}

function Running({ tasks, total }: { tasks: Task[]; total: number }) {
  const { t } = useI18n();
  if (tasks.length === 0) {
    return (
      <Surface>
        <Note>{t.board.nothingRuns}</Note>
      </Surface>
    );
  }
  return (
    <>
      <Rows tasks={tasks} />
      {total > tasks.length && tasks.length >= 100 && (
        <p className={styles.all}>
          <Link to="/tasks" search={{ status: "running" }}>
            {t.board.more(total - tasks.length)}
          </Link>
        </p>
      )}
    </>
  );
}

function useBoardTitle(running: Task[]): void {
  const { t, format } = useI18n();
  const only = running.length === 1 ? running[0] : undefined;
  const percentage = only?.progress?.percentage;
  const far = percentage === undefined || percentage === null ? null : format.percent(percentage);
  const count = running.length > 0 ? t.board.tab(running.length) : t.board.title;
  useTitle(...(only ? [far, only.task_name] : [count]));
}
