import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Task } from "../src/api/types";
import {
  Feed,
  type FeedState,
  HELLO_MS,
  type NewLines,
  POLL_MS,
  RETRY_MS,
  type Source,
} from "../src/live/feed";
import { task } from "./tasks";

/** A connection whose other end is this test. */
class Connection implements Source {
  closed = false;
  private readonly listeners = new Map<string, (event: { data: string }) => void>();

  addEventListener(type: string, listener: (event: { data: string }) => void): void {
    this.listeners.set(type, listener);
  }

  close(): void {
    this.closed = true;
  }

  send(type: string, data: unknown = {}): void {
    this.listeners.get(type)?.({ data: JSON.stringify(data) });
  }
}

/** A feed with everything it did. */
function watch(answers: () => boolean = () => true) {
  const seen = {
    connections: [] as Connection[],
    states: [] as FeedState[],
    batches: [] as Task[][],
    lines: [] as NewLines[],
    frames: [] as (() => void)[],
    reads: 0,
    places: [] as (string | null)[],
  };
  const feed = new Feed({
    address: (place) => {
      seen.places.push(place);
      return "/api/events";
    },
    open: () => {
      const connection = new Connection();
      seen.connections.push(connection);
      return connection;
    },
    soon: (run) => seen.frames.push(run),
    refetch: async () => {
      seen.reads++;
      if (!answers()) throw new Error("no answer");
    },
    tasks: (changed) => seen.batches.push(changed),
    lines: (lines) => seen.lines.push(lines),
    state: (state) => seen.states.push(state),
  });
  const last = () => seen.connections.at(-1) as Connection;
  const frame = () => {
    for (const run of seen.frames.splice(0)) run();
  };
  return { feed, seen, last, frame };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the events' feed", () => {
  test("is live with the first hello, and reads again what is shown", () => {
    const { feed, seen, last } = watch();
    feed.start();
    last().send("hello");
    expect(seen.states).toEqual(["connecting", "live"]);
    expect(seen.reads).toBe(1);
  });

  test("applies everything that came before a frame at once, each task in its newest version", () => {
    const { feed, seen, last, frame } = watch();
    feed.start();
    last().send("hello");
    last().send("task", task("a", { timestamp: 2 }));
    last().send("task", task("b"));
    last().send("task", task("a", { timestamp: 1 }));
    last().send("lines", { events: [], next: "4" });
    expect(seen.batches).toEqual([]);
    frame();
    expect(seen.batches).toEqual([[task("a", { timestamp: 2 }), task("b")]]);
    expect(seen.lines).toEqual([{ events: [], next: "4" }]);
  });

  test("polls every 5 s while no events are to be had, and is live again by itself", async () => {
    const { feed, seen, last } = watch();
    feed.start();
    last().send("error");
    await vi.advanceTimersByTimeAsync(RETRY_MS[0]);
    expect(seen.states.at(-1)).toBe("polling");
    const before = seen.reads;
    await vi.advanceTimersByTimeAsync(2 * POLL_MS);
    expect(seen.reads).toBe(before + 2);
    last().send("hello");
    expect(seen.states.at(-1)).toBe("live");
    const settled = seen.reads;
    await vi.advanceTimersByTimeAsync(3 * POLL_MS);
    expect(seen.reads).toBe(settled);
  });

  test("polls when something between swallows the events", async () => {
    const { feed, seen } = watch();
    feed.start();
    await vi.advanceTimersByTimeAsync(HELLO_MS + RETRY_MS[0]);
    expect(seen.states.at(-1)).toBe("polling");
    expect(seen.connections[0]?.closed).toBe(true);
  });

  test("is offline while nobody answers, and says so only then", async () => {
    let up = false;
    const { feed, seen, last } = watch(() => up);
    feed.start();
    last().send("error");
    await vi.advanceTimersByTimeAsync(RETRY_MS[0]);
    expect(seen.states).toEqual(["connecting", "connecting", "offline"]);
    up = true;
    await vi.advanceTimersByTimeAsync(POLL_MS);
    expect(seen.states.at(-1)).toBe("polling");
  });

  test("tries again after ever longer pauses, of 10 s at most", async () => {
    const { feed, seen, last } = watch();
    feed.start();
    for (const pause of [...RETRY_MS, 10_000]) {
      const tried = seen.connections.length;
      last().send("error");
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(seen.connections).toHaveLength(tried);
      await vi.advanceTimersByTimeAsync(1);
      expect(seen.connections).toHaveLength(tried + 1);
    }
  });

  test("applies the last lines before it asks for those behind them", async () => {
    const { feed, seen, last } = watch();
    feed.start();
    last().send("hello");
    last().send("lines", { events: [], next: "9" });
    last().send("error");
    expect(seen.lines).toEqual([{ events: [], next: "9" }]);
  });

  test("lets go of its connection and its clocks when it is stopped", async () => {
    const { feed, seen, last } = watch();
    feed.start();
    last().send("error");
    feed.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.connections).toHaveLength(1);
    expect(seen.reads).toBe(0);
    expect(last().closed).toBe(true);
  });

  test("hears nothing from a connection that it gave up", () => {
    const { feed, seen, last, frame } = watch();
    feed.start();
    const old = last();
    feed.wake();
    old.send("hello");
    old.send("task", task("a"));
    frame();
    expect(seen.states).toEqual(["connecting"]);
    expect(seen.batches).toEqual([]);
  });

  test("comes again from where a visit ended, stays live and reads nothing anew", async () => {
    const { feed, seen, last } = watch();
    feed.start();
    last().send("hello", { resumed: false });
    last().send("again", { milliseconds: 3_000, place: "7|4" });
    expect(last().closed).toBe(true);
    await vi.advanceTimersByTimeAsync(3_000);
    last().send("hello", { resumed: true });
    expect(seen.places).toEqual([null, "7|4"]);
    expect(seen.states.at(-1)).toBe("live");
    expect(seen.reads).toBe(1);
  });

  test("reads anew what is shown after a visit that failed", async () => {
    const { feed, seen, last } = watch();
    feed.start();
    last().send("hello", { resumed: false });
    last().send("again", { milliseconds: 3_000, place: "7|4" });
    await vi.advanceTimersByTimeAsync(3_000);
    last().send("error");
    await vi.advanceTimersByTimeAsync(RETRY_MS[0]);
    last().send("hello", { resumed: false });
    expect(seen.places).toEqual([null, "7|4", null]);
    expect(seen.reads).toBeGreaterThan(1);
  });
});
