import { IconFlag2, IconPlayerPlay } from "@tabler/icons-react";
import { memo } from "react";
import { useI18n } from "../i18n/I18n";
import { LONGEST, spans } from "./ansi";
import type { Mark, Row } from "./fold";
import styles from "./LogView.module.css";

/** One row of the log: its number and its text in its colours, or a quiet word where a command began or ended. */
export const LogRow = memo(function LogRow({ row }: { row: Row }) {
  const { format } = useI18n();
  return (
    <div className={styles.row} title={format.time(row.timestamp)}>
      <span className={styles.number} data-line={row.line ?? ""} aria-hidden="true" />
      {row.mark ? <MarkText mark={row.mark} /> : <LineText text={row.text} />}
    </div>
  );
});

function LineText({ text }: { text: string }) {
  const { t, format } = useI18n();
  return (
    <span className={styles.text}>
      {spans(text).map((span, index) => (
        <span
          // the spans of a text have no other identity
          key={index}
          className={span.className}
          style={{ color: span.color, backgroundColor: span.background }}
        >
          {span.text}
        </span>
      ))}
      {text.length > LONGEST && (
        <span className={styles.quiet}> {t.log.cut(format.number(text.length - LONGEST))}</span>
      )}
    </span>
  );
}

function MarkText({ mark }: { mark: Mark }) {
  const { t, format } = useI18n();
  const Icon = mark.kind === "start" ? IconPlayerPlay : IconFlag2;
  return (
    <span className={`${styles.text} ${styles.quiet}`}>
      <Icon size={13} stroke={1.8} aria-hidden className={styles.icon} />
      {says(mark)}
    </span>
  );

  function says(said: Mark): string {
    if (said.kind === "start") return t.log.started(said.command);
    const time = format.duration(said.seconds);
    if (said.signal) return t.log.killed(said.signal, time);
    return said.code === null ? t.log.vanished : t.log.exited(said.code, time);
  }
}
