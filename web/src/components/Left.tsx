import type { Estimate, Stopped, Task } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { useNow } from "../lib/clock";
import { leftAt } from "../lib/estimate";
import styles from "./Left.module.css";

/** `4–6 min left`, or since when nothing moves; nothing where nothing is known. */
export function Left({ task }: { task: Task }) {
  const { stopped, estimate } = task.details ?? {};
  if (task.status !== "running") return null;
  if (stopped) return <Still stopped={stopped} />;
  return estimate ? <Counting estimate={estimate} /> : null;
}

function Counting({ estimate }: { estimate: Estimate }) {
  const { t, format } = useI18n();
  const left = leftAt(estimate, useNow());
  const range = format.range(left.low, left.high);
  return (
    <span className={`figures ${styles.left}`} title={basisOf(estimate, t)}>
      {left.late ? t.left.late : estimate.whole === false ? t.left.stage(range) : t.left.job(range)}
    </span>
  );
}

function Still({ stopped }: { stopped: Stopped }) {
  const { t, format } = useI18n();
  const seconds = Math.max(0, Math.floor((useNow() - Date.parse(stopped.since)) / 1000));
  const usual = t.left.usual(format.duration(stopped.usual_seconds));
  return (
    <span className={`figures ${styles.stopped}`} title={usual}>
      {t.left.stopped[stopped.what](format.duration(seconds, true))}
    </span>
  );
}

/** {@link Left} with what it was made from. */
export function LeftAndWhy({ task }: { task: Task }) {
  const { t, format } = useI18n();
  const { stopped, estimate } = task.details ?? {};
  const why = stopped
    ? t.left.usual(format.duration(stopped.usual_seconds))
    : estimate && basisOf(estimate, t);
  if (task.status !== "running" || !why) return null;
  return (
    <span className={styles.why}>
      <Left task={task} />
      <span>{why}</span>
    </span>
  );
}

function basisOf(estimate: Estimate, t: ReturnType<typeof useI18n>["t"]): string {
  return t.left.basis[estimate.basis](estimate.runs ?? 0);
}
