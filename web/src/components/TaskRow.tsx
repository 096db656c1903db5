import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { Task } from "../api/types";
import { typeName, useI18n } from "../i18n/I18n";
import { doing } from "../lib/task";
import { isFinal } from "../live/merge";
import { Bar } from "./Bar";
import { Ago, Elapsed } from "./Elapsed";
import { Figures } from "./Figures";
import { Left } from "./Left";
import { StatusMark } from "./StatusMark";
import styles from "./TaskRow.module.css";

interface Props {
  task: Task;
  /** Leave the project's name out: the page is about it. */
  withoutProject?: boolean;
  /** Say every row's status in words: the list holds several. */
  mixed?: boolean;
  /** The row's place in a list that draws only some of its rows, and what measures it there. */
  index?: number;
  measure?: (element: HTMLLIElement | null) => void;
}

/** A task in a list: with its bar while it is active, in one line when it has ended. */
export const TaskRow = memo(function TaskRow({ index, measure, ...row }: Props) {
  return (
    <li className={styles.row} ref={measure} data-index={index}>
      {isFinal(row.task) ? <Ended {...row} /> : <Active {...row} />}
    </li>
  );
});

function Active({ task, withoutProject, mixed }: Props) {
  const { t } = useI18n();
  const running = task.status === "running";
  const known = (task.progress?.percentage ?? task.progress?.current ?? null) !== null;
  const words = [
    !running && !mixed && t.status[task.status],
    running && !known && t.task.noFigure,
    doing(task),
  ];
  return (
    <>
      <div className={`${styles.head} ${mixed ? styles.mixed : ""}`}>
        {mixed ? <Status task={task} /> : <StatusMark status={task.status} iconOnly />}
        <Name task={task} />
        <Where task={task} withoutProject={withoutProject} />
        <Figures task={task} />
      </div>
      <Bar task={task} />
      <div className={styles.foot}>
        <span className={styles.step}>
          {mixed && <span className={styles.narrow}>{t.status[task.status]}</span>}
          {words.map((word) => word && <span key={word}>{word}</span>)}
        </span>
        <span className={styles.time}>
          <Left task={task} />
          <Elapsed task={task} />
        </span>
      </div>
    </>
  );
}

function Ended({ task, withoutProject }: Props) {
  const { t } = useI18n();
  const error = task.status === "failed" ? task.details?.error_message : null;
  return (
    <>
      <div className={`${styles.head} ${styles.ended}`}>
        <Status task={task} />
        <Name task={task} />
        <Where task={task} withoutProject={withoutProject} />
        <Figures task={task} />
        <span className={styles.duration}>
          <Elapsed task={task} />
        </span>
        <span className={styles.when}>
          <span className={styles.narrow}>{t.status[task.status]} · </span>
          <Ago time={task.completed_at ?? task.updated_at} />
        </span>
      </div>
      {error && <p className={styles.error}>{error}</p>}
    </>
  );
}

function Status({ task }: { task: Task }) {
  return (
    <span className={styles.status}>
      <StatusMark status={task.status} />
    </span>
  );
}

function Name({ task }: { task: Task }) {
  return (
    <Link to="/tasks/$taskId" params={{ taskId: task.task_id }} className={styles.name}>
      {task.task_name}
    </Link>
  );
}

function Where({ task, withoutProject }: Props) {
  const { t } = useI18n();
  return (
    <span className={styles.where}>
      {withoutProject ? "" : `${task.project_id} · `}
      {typeName(t, task.task_type)}
    </span>
  );
}
