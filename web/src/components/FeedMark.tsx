import { useEffect, useState } from "react";
import { useI18n } from "../i18n/I18n";
import type { FeedState } from "../live/feed";
import { useLive } from "../live/LiveProvider";
import styles from "./FeedMark.module.css";

/** A connection that is back within this was never lost to the eye. */
const CALM_MS = 1_000;

/** Whether the page is live, said calmly. */
export function FeedMark() {
  const { t } = useI18n();
  const state = useSettled(useLive().state);
  return (
    <span className={styles.mark} data-state={state} role="status" title={t.feed[`${state}Hint`]}>
      <span className={styles.dot} aria-hidden="true" />
      <span className={styles.word}>{t.feed[state]}</span>
    </span>
  );
}

/** The state, but a moment of connecting is left out: each view makes its own connection. */
function useSettled(state: FeedState): FeedState {
  const [shown, show] = useState(state);
  useEffect(() => {
    const timer = setTimeout(() => show(state), state === "connecting" ? CALM_MS : 0);
    return () => clearTimeout(timer);
  }, [state]);
  return shown;
}
