import { STATUSES, type Tally } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { countOf } from "../lib/task";
import styles from "./TallyBar.module.css";

/** The shares of the statuses among a project's tasks, as one thin line. */
export function TallyBar({ tally }: { tally: Tally }) {
  const { t } = useI18n();
  const all = countOf(tally);
  const parts = STATUSES.filter((status) => tally[status]);
  const said = parts.map((status) => `${t.status[status]} ${tally[status]}`).join(", ");
  return (
    <div className={styles.bar} role="img" aria-label={said || t.empty.title}>
      {parts.map((status) => (
        <span
          key={status}
          data-status={status}
          title={`${t.status[status]}: ${tally[status]}`}
          style={{ flexGrow: (tally[status] ?? 0) / all }}
        />
      ))}
    </div>
  );
}
