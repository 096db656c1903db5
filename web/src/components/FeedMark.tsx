import { useI18n } from "../i18n/I18n";
import { useLive } from "../live/LiveProvider";
import styles from "./FeedMark.module.css";

/** Whether the page is live, said calmly. */
export function FeedMark() {
  const { t } = useI18n();
  const { state } = useLive();
  return (
    <span className={styles.mark} data-state={state} role="status" title={t.feed[`${state}Hint`]}>
      <span className={styles.dot} aria-hidden="true" />
      <span className={styles.word}>{t.feed[state]}</span>
    </span>
  );
}
