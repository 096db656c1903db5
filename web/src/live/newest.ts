import type { Task } from "../api/types";

const KEPT = 10_000;

/**
 * The newest version of each task that this page has seen, whichever way it came.
 *
 * An answer that was on its way while an event overtook it must not turn a task back: everything that is read
 * passes through {@link take}.
 */
export class Newest {
  private readonly versions = new Map<string, { task: Task; mark: number }>();
  private marks = 0;

  /** A moment, for {@link since}. */
  mark(): number {
    return this.marks;
  }

  /** The newest known version of `task`, which is `task` itself unless a newer one was seen before. */
  take(task: Task): Task {
    const known = this.versions.get(task.task_id);
    if (known && known.task.timestamp > task.timestamp) return known.task;
    if (known && known.task.timestamp === task.timestamp && sameVersion(known.task, task)) return known.task;
    this.versions.delete(task.task_id);
    this.versions.set(task.task_id, { task, mark: ++this.marks });
    this.forget();
    return task;
  }

  /** Tasks of which a newer version was seen after `mark`. */
  since(mark: number): Task[] {
    const found: Task[] = [];
    for (const version of this.versions.values()) if (version.mark > mark) found.push(version.task);
    return found;
  }

  /** Forget all. */
  clear(): void {
    this.versions.clear();
  }

  private forget(): void {
    if (this.versions.size <= KEPT) return;
    const oldest = this.versions.keys().next();
    if (!oldest.done) this.versions.delete(oldest.value);
  }
}

function sameVersion(a: Task, b: Task): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
