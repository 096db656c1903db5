import { ActionIcon, CopyButton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useI18n } from "../i18n/I18n";
import styles from "./EmptyBoard.module.css";

const COMMAND = "miyabi run -- make test";

/** How to get the first task onto the board. */
export function EmptyBoard() {
  const { t } = useI18n();
  return (
    <div className={styles.empty}>
      <h2>{t.empty.title}</h2>
      <p>{t.empty.text}</p>
      <div className={styles.command}>
        <code>
          <span aria-hidden="true">$ </span>
          {COMMAND}
        </code>
        <CopyButton value={COMMAND}>
          {({ copied, copy }) => (
            <ActionIcon
              variant="subtle"
              color="gray"
              onClick={copy}
              aria-label={copied ? t.empty.copied : t.empty.copy}
              title={copied ? t.empty.copied : t.empty.copy}
            >
              {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            </ActionIcon>
          )}
        </CopyButton>
      </div>
    </div>
  );
}
