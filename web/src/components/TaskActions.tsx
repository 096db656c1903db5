import { Button, Popover } from "@mantine/core";
import { IconBan, IconRotateClockwise } from "@tabler/icons-react";
import { useState } from "react";
import type { Task } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { isFinal } from "../live/merge";
import { useChangeTask } from "../live/useChangeTask";
import styles from "./TaskActions.module.css";

/** Cancel a task that is active, reopen one that has ended. */
export function TaskActions({ task }: { task: Task }) {
  return isFinal(task) ? <Reopen task={task} /> : <Cancel task={task} />;
}

function Reopen({ task }: { task: Task }) {
  const { t } = useI18n();
  const change = useChangeTask(task.task_id);
  return (
    <Button
      variant="default"
      size="xs"
      loading={change.isPending}
      leftSection={<IconRotateClockwise size={15} stroke={1.8} aria-hidden />}
      onClick={() => change.mutate({ patch: { status: "running" }, done: t.action.restarted })}
    >
      {t.action.restart}
    </Button>
  );
}

function Cancel({ task }: { task: Task }) {
  const { t } = useI18n();
  const [asking, setAsking] = useState(false);
  const change = useChangeTask(task.task_id);
  const cancel = () => {
    setAsking(false);
    change.mutate({ patch: { status: "cancelled" }, done: t.action.cancelled });
  };
  return (
    <Popover
      opened={asking}
      onChange={setAsking}
      position="bottom-end"
      shadow="md"
      width={290}
      trapFocus
      withinPortal={false}
    >
      <Popover.Target>
        <Button
          variant="default"
          size="xs"
          loading={change.isPending}
          leftSection={<IconBan size={15} stroke={1.8} aria-hidden />}
          onClick={() => setAsking(!asking)}
        >
          {t.action.cancel}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t.action.cancelAsk}>
        <p className={styles.ask}>{t.action.cancelAsk}</p>
        <p className={styles.hint}>{t.action.cancelHint}</p>
        <div className={styles.buttons}>
          <Button size="xs" variant="default" onClick={() => setAsking(false)}>
            {t.action.keep}
          </Button>
          <Button size="xs" variant="light" color="red" onClick={cancel}>
            {t.action.cancelYes}
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
