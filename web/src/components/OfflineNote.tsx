import { useI18n } from "../i18n/I18n";
import { useLive } from "../live/LiveProvider";
import styles from "./OfflineNote.module.css";

/** While the board does not answer: that what is shown is old, and how old. */
export function OfflineNote() {
  const { t, format } = useI18n();
  const { state, heard } = useLive();
  return (
    <div role="status" className={styles.place}>
      {state === "offline" && heard > 0 && <p className={styles.note}>{t.feed.asOf(format.clock(heard))}</p>}
    </div>
  );
}
