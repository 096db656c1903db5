import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, api, UNREACHABLE } from "../api/client";
import type { TaskPatch } from "../api/types";
import { roleName, useI18n } from "../i18n/I18n";
import { applyTasks } from "./apply";

const FORBIDDEN = 403;
/** The least role that may change a task. */
const CHANGES = "developer";

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
      const status = error instanceof ApiError ? error.status : null;
      const needed = status === FORBIDDEN ? t.account.needs(roleName(t, CHANGES)) : error.message;
      const message = status === UNREACHABLE ? t.error.unreachable : needed;
      notifications.show({ title: t.action.failed, message, color: "red", closeButtonProps });
    },
  });
}
