import { describe, expect, test } from "vitest";
import type { LogEvent } from "../src/api/types";
import { append, drawOver, fold, prepend } from "../src/log/fold";

let line = 0;
const events = (...messages: string[]): LogEvent[] =>
  messages.map((message) => ({ position: String(++line), timestamp: line, message, line }));
const texts = (rows: { text: string }[]) => rows.map((row) => row.text);

describe("the rows of a log", () => {
  test("are its lines", () => {
    expect(texts(fold(events("one", "", "three")))).toEqual(["one", "", "three"]);
  });

  test("hold a bar that was redrawn once, as it was last", () => {
    expect(texts(fold(events("start", " 10%\r", " 20%\r", "100%", "end")))).toEqual(["start", "100%", "end"]);
  });

  test("go on folding when the next line comes in a later batch", () => {
    const rows = fold(events("start", " 10%\r"));
    expect(append(rows, events(" 90%\r", "done"))).toBe(1);
    expect(texts(rows)).toEqual(["start", "done"]);
  });

  test("keep what was drawn when only an end of line follows", () => {
    expect(texts(fold(events("100% |####|\r", "", "next")))).toEqual(["100% |####|", "next"]);
  });

  test("fold across the seam to older lines", () => {
    const older = fold(events("first", " 10%\r"));
    const newer = fold(events(" 50%", "last"));
    expect(texts(prepend(older, newer))).toEqual(["first", " 50%", "last"]);
    expect(texts(prepend(fold(events("a", "b")), newer))).toEqual(["a", "b", " 50%", "last"]);
  });

  test("tell where a command began and ended, which draws over nothing", () => {
    const rows = fold(
      events(
        '{"miyabi":"start","run":"r","name":"Build","type":"build","project":"p","command":"make\\n  all"}',
        "half\r",
        '{"miyabi":"exit","run":"r","code":2,"duration_seconds":3.5}',
        '{"miyabi":"exit","run":"r","code":null,"signal":"SIGKILL","duration_seconds":1}',
      ),
    );
    expect(rows.map((row) => row.mark ?? row.text)).toEqual([
      { kind: "start", command: "make all", host: "" },
      "half",
      { kind: "exit", code: 2, signal: null, seconds: 3.5 },
      { kind: "exit", code: null, signal: "SIGKILL", seconds: 1 },
    ]);
  });

  test("show as text what only looks like a marker", () => {
    const odd = ['{"miyabi":', '{"miyabi":"other"}', ' {"miyabi":"start"}'];
    expect(texts(fold(events(...odd)))).toEqual(odd);
  });
});

describe("drawing over a line", () => {
  test("leaves what the shorter text does not reach, as a terminal does", () => {
    expect(drawOver("Downloading", "Done")).toBe("Doneloading");
  });

  test("takes a text with escape sequences as whole", () => {
    expect(drawOver("Downloading it all", "\u001b[2KDone")).toBe("\u001b[2KDone");
    expect(drawOver("\u001b[32mlong and green\u001b[0m", "")).toBe("\u001b[32mlong and green\u001b[0m");
  });
});
