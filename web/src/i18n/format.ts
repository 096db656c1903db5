import type { Progress } from "../api/types";

export type Language = "en" | "ja";

const UNITS = {
  en: {
    day: " d",
    hour: " h",
    minute: " min",
    second: " s",
    gap: " ",
    about: "about ",
    under: ["under ", ""],
  },
  ja: { day: "日", hour: "時間", minute: "分", second: "秒", gap: "", about: "約", under: ["", "以内"] },
} as const;

/** From here on a count is shortened where room is short. */
const LONG = 1_000_000;

/** Writes figures, times and durations in one language. */
export interface Formatter {
  /** `52 %`; never `100 %` below 100, never `0 %` for what has begun to count. */
  percent(percentage: number): string;
  /** `15/29`, or `15` where no total is known; `null` when nothing is. */
  count(progress: Progress | undefined): string | null;
  /** The same with millions shortened, for a column: `812M/915M`. */
  shortCount(progress: Progress | undefined): string | null;
  /** A whole number with its thousands grouped. */
  number(value: number): string;
  /** 0 to 1 as `93 %`; `100 %` and `0 %` only when it is exactly so. */
  rate(fraction: number): string;
  /** `4.2 s`, `42 s`, `3 min 07 s`, `1 h 04 min`, `2 d 03 h`; `whole` counts whole seconds, as a clock does. */
  duration(seconds: number, whole?: boolean): string;
  /** A span of time that nobody knows exactly, in one unit: `20–45 s`, `about 5 min`, `1.5–2 h`. Seconds. */
  range(low: number, high: number): string;
  /** `2 minutes ago`; `now` for the last seconds. Both in ms. */
  ago(then: number, now: number): string;
  /** Date and time to the second, in the reader's time zone. */
  time(ms: number): string;
  /** Time of day to the second. */
  clock(ms: number): string;
}

/** The {@link Formatter} of a language; `timeZone` defaults to the reader's. */
export function formatter(language: Language, timeZone?: string): Formatter {
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const exact = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const compact = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 3 });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", timeZone });
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium", timeZone, hourCycle: "h23" });
  return {
    percent: (percentage) => `${wholePercent(percentage)} %`,
    count: (progress) => count(progress, (value) => exact.format(value)),
    shortCount: (progress) => count(progress, (value) => (value < LONG ? exact : compact).format(value)),
    number: (value) => whole.format(value),
    rate: (fraction) => `${wholePercent(fraction * 100)} %`,
    duration: (seconds, whole = false) => duration(seconds, language, whole),
    range: (low, high) => range(low, high, language),
    ago: (then, now) => ago(then, now, relative),
    time: (ms) => time.format(ms),
    clock: (ms) => clock.format(ms),
  };
}

function wholePercent(percentage: number): number {
  if (percentage >= 100) return 100;
  if (percentage <= 0) return 0;
  return Math.min(99, Math.max(1, Math.round(percentage)));
}

function count(progress: Progress | undefined, write: (value: number) => string): string | null {
  if (progress?.current === undefined || progress.current === null) return null;
  const current = write(progress.current);
  return progress.total === undefined || progress.total === null
    ? current
    : `${current}/${write(progress.total)}`;
}

function duration(seconds: number, language: Language, whole: boolean): string {
  const unit = UNITS[language];
  const all = Math.max(0, seconds);
  if (!whole && all > 0 && all < 9.95) return `${all.toFixed(1)}${unit.second}`;
  const total = whole ? Math.floor(all) : Math.round(all);
  const [s, m, h, d] = [
    total % 60,
    Math.floor(total / 60) % 60,
    Math.floor(total / 3600) % 24,
    Math.floor(total / 86_400),
  ];
  const two = (value: number) => String(value).padStart(2, "0");
  if (d > 0) return `${d}${unit.day}${unit.gap}${two(h)}${unit.hour}`;
  if (h > 0) return `${h}${unit.hour}${unit.gap}${two(m)}${unit.minute}`;
  if (m > 0) return `${m}${unit.minute}${unit.gap}${two(s)}${unit.second}`;
  return `${s}${unit.second}`;
}

/** The units of a range: from how many seconds on, what one is, and to what part of it is rounded. */
const SECONDS = [0, 1, "second", 0.2] as const;
const RANGE_UNITS = [
  [36 * 3600, 86_400, "day", 2],
  [90 * 60, 3600, "hour", 2],
  [90, 60, "minute", 1],
  SECONDS,
] as const;

function range(low: number, high: number, language: Language): string {
  const words = UNITS[language];
  const [, length, unit, parts] = RANGE_UNITS.find(([from]) => high >= from) ?? SECONDS;
  const short = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  // Outwards, so that what is said holds what is meant.
  const least = Math.floor((low / length) * parts) / parts;
  const most = Math.max(Math.ceil((high / length) * parts), 1) / parts;
  const write = (value: number) => `${short.format(value)}${words[unit]}`;
  if (least <= 0) return words.under.join(write(most));
  return least === most ? words.about + write(most) : `${short.format(least)}–${write(most)}`;
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

function ago(then: number, now: number, relative: Intl.RelativeTimeFormat): string {
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  for (const [unit, length] of STEPS) {
    if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  }
  return seconds < 10 ? relative.format(0, "second") : relative.format(-seconds, "second");
}
