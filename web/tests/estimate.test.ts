import { expect, test } from "vitest";
import type { Estimate } from "../src/api/types";
import { formatter } from "../src/i18n/format";
import { leftAt } from "../src/lib/estimate";

const START = Date.parse("2026-11-24T12:00:00.000Z");
const estimate: Estimate = {
  as_of: "2026-11-24T12:00:00.000Z",
  low_seconds: 60,
  likely_seconds: 90,
  high_seconds: 150,
  holds_seconds: 20,
  basis: "pace",
};

test("what is left counts down from the moment of the estimate", () => {
  expect(leftAt(estimate, START + 10_000)).toEqual({ low: 50, likely: 80, high: 140, late: false });
});

test("the countdown stands still while progress is overdue", () => {
  expect(leftAt(estimate, START + 25_000).likely).toBe(70);
  expect(leftAt(estimate, START + 100_000)).toEqual({ low: 40, likely: 70, high: 130, late: false });
});

test("after the latest end it is late, and less than nothing is never left", () => {
  const long = { ...estimate, holds_seconds: 500 };
  expect(leftAt(long, START + 200_000)).toEqual({ low: 0, likely: 0, high: 0, late: true });
});

test("a clock that is behind does not add time", () => {
  expect(leftAt(estimate, START - 60_000).likely).toBe(90);
});

test.each([
  [20, 45, "20–45 s", "20–45秒"],
  [22, 43, "20–45 s", "20–45秒"],
  [1, 3, "under 5 s", "5秒以内"],
  [0, 0, "under 5 s", "5秒以内"],
  [240, 350, "4–6 min", "4–6分"],
  [30, 100, "under 2 min", "2分以内"],
  [5400, 7000, "1.5–2 h", "1.5–2時間"],
  [3600, 3600 * 47, "under 2 d", "2日以内"],
  [21, 25, "20–25 s", "20–25秒"],
  [300, 300, "about 5 min", "約5分"],
])("%d to %d seconds is %s", (low, high, english, japanese) => {
  expect(formatter("en").range(low, high)).toBe(english);
  expect(formatter("ja").range(low, high)).toBe(japanese);
});
