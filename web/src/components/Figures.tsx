import type { Task } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { isFinal } from "../live/merge";
import styles from "./Figures.module.css";

/** `15/29` and `52 %`, each in its column; what is not known is not there. `quiet`: no figure stands out. */
export function Figures({ task, quiet = false }: { task: Task; quiet?: boolean }) {
  const { format } = useI18n();
  const percentage = task.progress?.percentage ?? null;
  const count = format.shortCount(task.progress);
  return (
    <span className={`figures ${styles.figures}`}>
      {count !== null && (
        <span className={styles.count} title={format.count(task.progress) ?? undefined}>
          {count}
        </span>
      )}
      {percentage !== null && (
        <span className={styles.percent} data-active={(!quiet && !isFinal(task)) || undefined}>
          {format.percent(percentage)}
        </span>
      )}
    </span>
  );
}
