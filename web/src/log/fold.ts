import type { LogEvent } from "../api/types";

/** One row of the log as a terminal would show it: the last of the lines that were drawn over each other. */
export interface Row {
  /** Of the newest event in the row; unique within the stream. */
  position: string;
  /** ms. */
  timestamp: number;
  text: string;
  line: number | null;
  /** The next line is drawn over this one. */
  open: boolean;
  mark: Mark | null;
}

/** Where `miyabi run` began or ended a command. */
export type Mark =
  | { kind: "start"; command: string; host: string }
  | { kind: "exit"; code: number | null; signal: string | null; seconds: number };

/** The rows of some events, in their order. */
export function fold(events: readonly LogEvent[]): Row[] {
  const rows: Row[] = [];
  append(rows, events);
  return rows;
}

/** Adds events behind `rows`, in place; returns the index of the first row that changed. */
export function append(rows: Row[], events: readonly LogEvent[]): number {
  let first = rows.length;
  for (const event of events) {
    const row = rowOf(event);
    const last = rows.at(-1);
    if (!last?.open) {
      rows.push(row);
      continue;
    }
    if (row.mark) {
      last.open = false;
      rows.push(row);
      continue;
    }
    first = Math.min(first, rows.length - 1);
    rows[rows.length - 1] = { ...row, text: drawOver(last.text, row.text) };
  }
  return first;
}

/** Rows with older ones before them: where the older end in an open row, the first of `rows` was drawn over it. */
export function prepend(older: Row[], rows: Row[]): Row[] {
  const last = older.at(-1);
  const first = rows[0];
  if (!last?.open || !first || first.mark) return older.concat(rows);
  const joined = { ...first, text: drawOver(last.text, first.text) };
  return older.slice(0, -1).concat(joined, rows.slice(1));
}

function rowOf(event: LogEvent): Row {
  const open = event.message.endsWith("\r");
  return {
    position: event.position,
    timestamp: event.timestamp,
    text: open ? event.message.slice(0, -1) : event.message,
    line: event.line ?? null,
    open,
    mark: readMark(event.message),
  };
}

/** What stands on a terminal's line after `next` was printed over `before` from the left. */
export function drawOver(before: string, next: string): string {
  if (next.length >= before.length) return next;
  if (next.includes("\u001b") || before.includes("\u001b")) return next === "" ? before : next;
  return next + before.slice(next.length);
}

function readMark(message: string): Mark | null {
  if (!message.startsWith('{"miyabi":')) return null;
  try {
    return markOf(JSON.parse(message) as Record<string, unknown>);
  } catch {
    return null;
  }
}

function markOf(found: Record<string, unknown>): Mark | null {
  if (found.miyabi === "start") {
    return {
      kind: "start",
      command: oneLine(text(found.command) || text(found.name)),
      host: text(found.host),
    };
  }
  if (found.miyabi === "exit") {
    return {
      kind: "exit",
      code: typeof found.code === "number" ? found.code : null,
      signal: text(found.signal) || null,
      seconds: typeof found.duration_seconds === "number" ? found.duration_seconds : 0,
    };
  }
  return null;
}

function oneLine(command: string): string {
  return command.replace(/\s+/g, " ");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
