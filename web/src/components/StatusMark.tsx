import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleDot,
  IconCircleMinus,
  IconCircleX,
  IconHandStop,
  type TablerIcon,
} from "@tabler/icons-react";
import type { Status } from "../api/types";
import { useI18n } from "../i18n/I18n";
import styles from "./StatusMark.module.css";

const ICONS: Record<Status, TablerIcon> = {
  running: IconCircleDot,
  blocked: IconHandStop,
  pending: IconCircleDashed,
  completed: IconCircleCheck,
  failed: IconCircleX,
  cancelled: IconCircleMinus,
};

/** A status by icon, word and colour; `iconOnly` keeps the word for those who can't see the icon. */
export function StatusMark({ status, iconOnly = false }: { status: Status; iconOnly?: boolean }) {
  const { t } = useI18n();
  const Icon = ICONS[status];
  return (
    <span className={styles.mark} data-status={status} title={iconOnly ? t.status[status] : undefined}>
      <Icon size={17} stroke={1.9} aria-hidden />
      <span className={iconOnly ? "unseen" : undefined}>{t.status[status]}</span>
    </span>
  );
}
