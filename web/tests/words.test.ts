import { describe, expect, test } from "vitest";
import { address } from "../src/api/client";
import { en } from "../src/i18n/en";
import { preferred } from "../src/i18n/I18n";
import { ja } from "../src/i18n/ja";
import { doing, secondsOf, startOf, totals } from "../src/lib/task";
import { tasksSearch } from "../src/search";
import { task } from "./tasks";

describe("the language", () => {
  test("is the one that was chosen, or the first of the browser's that is there", () => {
    expect(preferred("ja", ["en-GB"])).toBe("ja");
    expect(preferred(null, ["fr", "ja-JP", "en"])).toBe("ja");
    expect(preferred("xx", ["fr", "de"])).toBe("en");
  });

  test("has no text left empty, and none left in the other one", () => {
    const texts = (value: unknown): string[] =>
      typeof value === "string"
        ? [value]
        : typeof value === "object" && value
          ? Object.values(value).flatMap(texts)
          : [];
    expect([...texts(en), ...texts(ja)].filter((text) => text.trim() === "")).toEqual([]);
    const same = texts(ja).filter((text) => texts(en).includes(text));
    expect(same).toEqual(["–"]);
  });
});

describe("a task", () => {
  const started = task("a", { details: { started_at: "2026-11-23T12:00:10.000Z" } });

  test("has run since it started, or since it was made where no start is known", () => {
    expect(startOf(started) - startOf(task("b"))).toBe(10_000);
    expect(secondsOf(started, Date.parse("2026-11-23T12:01:00.000Z"))).toBe(50);
    expect(secondsOf(started, Date.parse("2026-11-23T11:00:00.000Z"))).toBe(0);
  });

  test("took as long as its record says once it has ended", () => {
    expect(secondsOf(task("a", { duration_seconds: 3.5 }), 0)).toBe(3.5);
    expect(secondsOf(task("a", { completed_at: "2026-11-23T12:00:02.500Z" }), Date.now())).toBe(2.5);
  });

  test("says what it does by phase and step, as far as they are known", () => {
    expect(doing(task("a", { details: { phase: "Deploying", current_step: "Bucket" } }))).toBe(
      "Deploying · Bucket",
    );
    expect(doing(task("a", { details: { current_step: "Bucket" } }))).toBe("Bucket");
    expect(doing(task("a"))).toBe("");
  });
});

test("the counts of all projects leave no status out", () => {
  const sum = totals([
    { running: 1, failed: 2 },
    { running: 3, blocked: 1, pending: 4, completed: 5, cancelled: 6 },
  ]);
  expect(sum).toEqual({ running: 4, blocked: 1, pending: 4, completed: 5, failed: 2, cancelled: 6 });
});

describe("an address", () => {
  test("carries what is given, also an empty text, and leaves out the rest", () => {
    expect(address("/api/x", { before: "", after: undefined, cursor: null, limit: 5 })).toBe(
      "/api/x?before=&limit=5",
    );
    expect(address("/api/x")).toBe("/api/x");
  });

  test("of the tasks keeps the filters that mean something", () => {
    expect(tasksSearch({ status: "failed", project: "shop", type: 7 })).toEqual({
      status: "failed",
      project: "shop",
      type: "7",
    });
    expect(tasksSearch({ status: "odd", project: "", type: {} })).toEqual({});
  });
});
