import type { Task } from "../api/types";
import { useI18n } from "../i18n/I18n";
import { useNow } from "../lib/clock";
import { secondsOf } from "../lib/task";
import { isFinal } from "../live/merge";

/** How long a task took, or has taken by now. */
export function Elapsed({ task }: { task: Task }) {
  return isFinal(task) ? <Duration seconds={secondsOf(task, Date.now())} /> : <Ticking task={task} />;
}

function Ticking({ task }: { task: Task }) {
  const now = useNow();
  // Whole seconds only: tenths would flicker while it counts.
  return <Duration seconds={Math.floor(secondsOf(task, now))} whole />;
}

function Duration({ seconds, whole = false }: { seconds: number; whole?: boolean }) {
  const { format } = useI18n();
  return <span className="figures">{format.duration(seconds, whole)}</span>;
}

/** `2 minutes ago`, kept current; the exact time on hover. */
export function Ago({ time }: { time: string }) {
  const { format } = useI18n();
  const now = useNow();
  const then = Date.parse(time);
  return (
    <time dateTime={time} title={format.time(then)} className="figures">
      {format.ago(then, now)}
    </time>
  );
}
