import { Button } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ApiError, UNREACHABLE } from "../api/client";
import { useI18n } from "../i18n/I18n";
import styles from "./Trouble.module.css";

interface Props {
  title: string;
  text?: string;
  /** The whole page is about it. */
  page?: boolean;
  children?: ReactNode;
}

/** What is wrong, and what to do. */
export function Trouble({ title, text, page = false, children }: Props) {
  const Title = page ? "h1" : "h2";
  return (
    <div className={styles.trouble} role="alert">
      <IconPlugConnectedX size={28} stroke={1.4} aria-hidden />
      <Title className={styles.title}>{title}</Title>
      {text && <p>{text}</p>}
      {children && <div className={styles.actions}>{children}</div>}
    </div>
  );
}

/** Something could not be loaded; `retry` tries again. */
export function LoadTrouble({ error, retry }: { error: Error; retry: () => void }) {
  const { t } = useI18n();
  const unreachable = error instanceof ApiError && error.status === UNREACHABLE;
  return (
    <Trouble title={t.error.title} text={unreachable ? t.error.unreachable : error.message}>
      <Button variant="default" onClick={retry}>
        {t.error.again}
      </Button>
    </Trouble>
  );
}

/** What was asked for is not there. */
export function Missing({ title, text }: { title: string; text?: string }) {
  const { t } = useI18n();
  return (
    <Trouble title={title} text={text} page>
      <Link to="/" className={styles.link}>
        {t.error.home}
      </Link>
    </Trouble>
  );
}

/** Whether an answer said that the thing does not exist. */
export function isMissing(error: Error | null): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 400);
}
