import { useEffect, useRef } from "react";
import type { Task } from "../api/types";
import { useI18n } from "../i18n/I18n";
import styles from "./Bar.module.css";

interface Props {
  task: Task;
  large?: boolean;
}

/**
 * How far a task is. It moves smoothly forwards and jumps back only where the job itself did; without a figure it
 * claims nothing.
 */
export function Bar({ task, large = false }: Props) {
  const { t, format } = useI18n();
  const percentage = task.progress?.percentage ?? null;
  const back = useWentBack(percentage ?? 0);
  const count = format.count(task.progress);
  const said =
    percentage === null
      ? (count ?? t.task.noFigure)
      : [format.percent(percentage), count].filter(Boolean).join(", ");
  return (
    <div
      className={styles.track}
      role="progressbar"
      aria-label={t.task.progressOf(task.task_name)}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percentage === null ? undefined : Math.floor(percentage)}
      aria-valuetext={said}
      data-status={task.status}
      data-stopped={Boolean(task.details?.stopped) || undefined}
      data-large={large || undefined}
      data-unknown={percentage === null || undefined}
    >
      {percentage !== null && (
        <div
          className={styles.fill}
          data-instant={back || undefined}
          style={{ transform: `translateX(${percentage - 100}%)` }}
        />
      )}
    </div>
  );
}

/** Whether the value is lower than the one drawn before. */
function useWentBack(value: number): boolean {
  const drawn = useRef(value);
  const back = value < drawn.current;
  useEffect(() => {
    drawn.current = value;
  }, [value]);
  return back;
}
