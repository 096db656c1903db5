import { STATUSES, type Tally } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { StatusMark } from "./StatusMark";
import styles from "./TallyLine.module.css";

/** How many tasks a project has in each status that any is in. */
export function TallyLine({ tally }: { tally: Tally }) {
  const { t, format } = useI18n();
  return (
    <ul className={styles.tally} aria-label={t.board.counts}>
      {STATUSES.filter((status) => tally[status]).map((status) => (
        <li key={status}>
          <StatusMark status={status} iconOnly />
          <span className="figures">{format.number(tally[status] ?? 0)}</span>
        </li>
      ))}
    </ul>
  );
}
