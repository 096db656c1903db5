import { describe, expect, test } from "vitest";
import { formatter } from "../src/i18n/format";

const en = formatter("en", "UTC");
const ja = formatter("ja", "UTC");

describe("a percentage", () => {
  test.each([
    [0, "0 %"],
    [0.2, "1 %"],
    [51.7, "52 %"],
    [99.5, "99 %"],
    [99.9, "99 %"],
    [100, "100 %"],
  ])("%d is written %s: 100 and 0 only when it is exactly so", (value, written) => {
    expect(en.percent(value)).toBe(written);
    expect(ja.percent(value)).toBe(written);
  });

  test("of a rate follows the same rule", () => {
    expect(en.rate(1)).toBe("100 %");
    expect(en.rate(0.999)).toBe("99 %");
    expect(en.rate(0.6667)).toBe("67 %");
  });
});

describe("a count", () => {
  test("says how many of how many", () => {
    expect(en.count({ current: 15, total: 29 })).toBe("15/29");
    expect(en.count({ current: 1421, total: 56_789 })).toBe("1,421/56,789");
    expect(en.count({ current: 1.5, total: 2.25 })).toBe("1.5/2.25");
  });

  test("claims no total that was not told, and nothing where nothing was", () => {
    expect(en.count({ current: 15 })).toBe("15");
    expect(en.count({ percentage: 40 })).toBeNull();
    expect(en.count({})).toBeNull();
    expect(en.count(undefined)).toBeNull();
  });

  test("is shortened from a million on where room is short", () => {
    expect(en.shortCount({ current: 812_345_678, total: 915_203_112 })).toBe("812M/915M");
    expect(ja.shortCount({ current: 812_345_678, total: 915_203_112 })).toBe("8.12億/9.15億");
    expect(en.shortCount({ current: 999_999, total: 1_000_000 })).toBe("999,999/1M");
  });
});

describe("a duration", () => {
  test.each([
    [0, "0 s", "0秒"],
    [4.23, "4.2 s", "4.2秒"],
    [9.97, "10 s", "10秒"],
    [41.6, "42 s", "42秒"],
    [187, "3 min 07 s", "3分07秒"],
    [3_840, "1 h 04 min", "1時間04分"],
    [183_600, "2 d 03 h", "2日03時間"],
    [-3, "0 s", "0秒"],
  ])("of %d s is written %s and %s", (seconds, english, japanese) => {
    expect(en.duration(seconds)).toBe(english);
    expect(ja.duration(seconds)).toBe(japanese);
  });

  test("that still grows counts whole seconds", () => {
    expect(en.duration(4.9, true)).toBe("4 s");
    expect(en.duration(59.9, true)).toBe("59 s");
  });
});

describe("a time that has passed", () => {
  const now = Date.UTC(2026, 10, 23, 12, 0, 0);

  test.each([
    [4_000, "now", "今"],
    [45_000, "45 seconds ago", "45 秒前"],
    [119_000, "1 minute ago", "1 分前"],
    [7_200_000, "2 hours ago", "2 時間前"],
    [86_400_000, "yesterday", "昨日"],
  ])("%d ms ago is written %s and %s", (passed, english, japanese) => {
    expect(en.ago(now - passed, now)).toBe(english);
    expect(ja.ago(now - passed, now)).toBe(japanese);
  });

  test("is never written as one to come, whatever the clocks say", () => {
    expect(en.ago(now + 60_000, now)).toBe("now");
  });

  test("is written in full in the reader's own way", () => {
    expect(en.time(now).replaceAll(/\s/g, " ")).toBe("Nov 23, 2026, 12:00:00 PM");
    expect(ja.time(now)).toBe("2026/11/23 12:00:00");
    expect(en.clock(now)).toBe("12:00:00");
  });
});
