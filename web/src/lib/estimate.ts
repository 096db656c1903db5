import type { Estimate } from "../api/types";

/** What is left at a moment, in seconds; `late` when the job takes longer than was thought. */
export interface Left {
  low: number;
  likely: number;
  high: number;
  late: boolean;
}

/**
 * The estimate counted down to `now` (ms). The countdown stands still while progress is overdue: the rest of the work
 * still takes what it takes.
 */
export function leftAt(estimate: Estimate, now: number): Left {
  const passed = Math.max(0, (now - Date.parse(estimate.as_of)) / 1000);
  const counted = Math.min(passed, estimate.holds_seconds);
  const [low, likely, high] = [estimate.low_seconds, estimate.likely_seconds, estimate.high_seconds].map(
    (seconds) => Math.max(0, seconds - counted),
  ) as [number, number, number];
  return { low, likely, high, late: passed > estimate.high_seconds };
}
