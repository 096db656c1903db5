import { Link } from "@tanstack/react-router";
import { STATUSES, type Tally } from "../api/types";
import { useI18n } from "../i18n/I18n";
import styles from "./Counts.module.css";
import { StatusMark } from "./StatusMark";

/** How many tasks are in each of the six statuses; each leads to those. */
export function Counts({ tally, project }: { tally: Tally | null; project?: string }) {
  const { t, format } = useI18n();
  return (
    <ul className={styles.counts} aria-label={t.board.counts}>
      {STATUSES.map((status) => (
        <li key={status}>
          <Link to="/tasks" search={{ status, project }} className={styles.count}>
            <span className={`figures ${styles.number}`} data-none={!tally?.[status] || undefined}>
              {tally ? format.number(tally[status] ?? 0) : "–"}
            </span>
            <StatusMark status={status} />
          </Link>
        </li>
      ))}
    </ul>
  );
}
