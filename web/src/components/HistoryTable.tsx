import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { taskHistory } from "../api/queries";
import type { Task } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { doing } from "../lib/task";
import { Figures } from "./Figures";
import styles from "./HistoryTable.module.css";
import { Note, Surface } from "./Section";
import { StatusMark } from "./StatusMark";

/** The versions of a task, newest first. */
export function HistoryTable({ taskId }: { taskId: string }) {
  const { t } = useI18n();
  const history = useInfiniteQuery(taskHistory(taskId));
  const versions = history.data?.pages.flatMap((page) => page.tasks);
  if (!versions) return null;
  if (versions.length === 0) {
    return (
      <Surface>
        <Note>{t.empty.versions}</Note>
      </Surface>
    );
  }
  return (
    <Surface>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t.history.time}</th>
            <th scope="col">{t.history.status}</th>
            <th scope="col" className={styles.progress}>
              {t.history.progress}
            </th>
            <th scope="col">{t.history.doing}</th>
          </tr>
        </thead>
        <tbody>
          {versions.map((version) => (
            <Version key={version.timestamp} version={version} />
          ))}
        </tbody>
      </table>
      {history.hasNextPage && (
        <div className={styles.more}>
          <Button
            variant="default"
            size="xs"
            loading={history.isFetchingNextPage}
            onClick={() => void history.fetchNextPage()}
          >
            {t.history.more}
          </Button>
        </div>
      )}
    </Surface>
  );
}

function Version({ version }: { version: Task }) {
  const { format } = useI18n();
  return (
    <tr>
      <td className="figures" title={format.time(version.timestamp)}>
        {format.clock(version.timestamp)}
      </td>
      <td>
        <StatusMark status={version.status} />
      </td>
      <td className={styles.progress}>
        <Figures task={version} quiet />
      </td>
      <td className={styles.doing}>
        {(version.status === "failed" && version.details?.error_message) || doing(version)}
      </td>
    </tr>
  );
}
