import { ActionIcon, Button, TextInput } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import type { Task } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { useChangeTask } from "../live/useChangeTask";
import styles from "./TaskName.module.css";

const LONGEST_NAME = 200;

/** A task's name as the page's heading, to be changed in place. */
export function TaskName({ task }: { task: Task }) {
  const { t } = useI18n();
  const [renaming, setRenaming] = useState(false);
  if (renaming) return <Rename task={task} close={() => setRenaming(false)} />;
  return (
    <div className={styles.name}>
      <h1>{task.task_name}</h1>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={t.action.rename}
        title={t.action.rename}
        onClick={() => setRenaming(true)}
      >
        <IconPencil size={16} stroke={1.7} aria-hidden />
      </ActionIcon>
    </div>
  );
}

function Rename({ task, close }: { task: Task; close: () => void }) {
  const { t } = useI18n();
  const [name, setName] = useState(task.task_name);
  const change = useChangeTask(task.task_id);
  const save = (event: FormEvent) => {
    event.preventDefault();
    const chosen = name.trim();
    if (!chosen || chosen === task.task_name) return close();
    change.mutate({ patch: { task_name: chosen }, done: t.action.renamed }, { onSuccess: close });
  };
  return (
    <form className={styles.form} onSubmit={save} onKeyDown={(event) => event.key === "Escape" && close()}>
      <TextInput
        className={styles.input}
        aria-label={t.action.newName}
        value={name}
        maxLength={LONGEST_NAME}
        onChange={(event) => setName(event.currentTarget.value)}
        onFocus={(event) => event.currentTarget.select()}
        data-autofocus
        ref={(input) => input?.focus()}
      />
      <Button type="submit" variant="light" loading={change.isPending}>
        {t.action.save}
      </Button>
      <Button variant="default" onClick={close}>
        {t.action.discard}
      </Button>
    </form>
  );
}
