import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, api, UNREACHABLE } from "../api/client";
import type { TaskPatch } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { applyTasks } from "./apply";

interface Change {
  patch: TaskPatch;
  /** What to say when it is done. */
  done: string;
}

/** Changes a task, shows it everywhere at once, and says how it went. */
export function useChangeTask(taskId: string) {
  const client = useQueryClient();
  const { t } = useI18n();
  const closeButtonProps = { "aria-label": t.action.dismiss };
  return useMutation({
    mutationFn: ({ patch }: Change) => api.change(taskId, patch),
    onSuccess: (task, { done }) => {
      applyTasks(client, [task]);
      notifications.show({ message: done, closeButtonProps });
    },
    onError: (error) => {
      const unreachable = error instanceof ApiError && error.status === UNREACHABLE;
      const message = unreachable ? t.error.unreachable : error.message;
      notifications.show({ title: t.action.failed, message, color: "red", closeButtonProps });
    },
  });
}
