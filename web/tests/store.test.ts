import { describe, expect, test } from "vitest";
import type { Lines, LogEvent } from "../src/api/types";
import { LogStore, type ReadLines } from "../src/log/store";

/** A stream that answers as the API does; positions are line numbers. */
function stream(count: number) {
  const all: LogEvent[] = [];
  const add = (more: number) => {
    for (let each = 0; each < more; each++) {
      const line = all.length + 1;
      all.push({ position: String(line), timestamp: line, message: `line ${line}`, line });
    }
  };
  const page = (from: number, to: number, after: string): Lines => {
    const events = all.slice(from, to);
    return { events, next: events.at(-1)?.position ?? after, previous: events[0]?.position ?? after };
  };
  const read: ReadLines = async (range, limit) => {
    if ("after" in range) return page(Number(range.after), Number(range.after) + limit, range.after);
    const end = range.before === "" ? all.length : Number(range.before) - 1;
    return page(Math.max(0, end - limit), end, range.before);
  };
  add(count);
  return { add, read, after: (place: number) => page(place, all.length, String(place)) };
}

const lines = (store: LogStore) => store.snapshot().rows.map((row) => row.line);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("the log that a page holds", () => {
  test("begins with the newest lines and goes back to the first", async () => {
    const source = stream(2_500);
    const store = new LogStore(source.read);
    await store.refresh();
    expect(lines(store)).toEqual(range(1_501, 2_500));
    await store.older();
    expect(store.snapshot()).toMatchObject({ prepended: 1_000, older: true });
    await store.older();
    expect(lines(store)).toEqual(range(1, 2_500));
    expect(store.snapshot().older).toBe(false);
  });

  test("takes new lines as they come", async () => {
    const source = stream(3);
    const store = new LogStore(source.read);
    await store.refresh();
    source.add(2);
    const fresh = source.after(3);
    store.push(fresh.events, fresh.next);
    expect(lines(store)).toEqual(range(1, 5));
    expect(store.next).toBe("5");
  });

  test("holds a line once that comes both by a read and by an event", async () => {
    const source = stream(3);
    const store = new LogStore(source.read);
    await store.refresh();
    source.add(4);
    const event = source.after(3);
    await store.refresh();
    store.push(event.events, event.next);
    expect(lines(store)).toEqual(range(1, 7));
    expect(store.next).toBe("7");
  });

  test("catches up over many pages after a long silence", async () => {
    const source = stream(1);
    const store = new LogStore(source.read);
    await store.refresh();
    source.add(25_000);
    await store.refresh();
    expect(lines(store)).toEqual(range(1, 25_001));
  });

  test("lets go of the oldest lines of a flood while it is followed, and loads them again", async () => {
    const source = stream(1);
    const store = new LogStore(source.read);
    await store.refresh();
    source.add(70_000);
    await store.refresh();
    const held = lines(store);
    expect(held.length).toBeLessThan(50_001);
    expect(held).toEqual(range(70_002 - held.length, 70_001));
    await store.older();
    expect(lines(store)).toEqual(range(70_002 - held.length - 1_000, 70_001));
  });

  test("keeps every line for a reader who has scrolled away from the end", async () => {
    const source = stream(1);
    const store = new LogStore(source.read);
    store.following = false;
    await store.refresh();
    source.add(60_000);
    await store.refresh();
    expect(lines(store)).toEqual(range(1, 60_001));
  });

  test("leaps to the end of a flood that no reader could follow, and goes on from there", async () => {
    const source = stream(1);
    const store = new LogStore(source.read);
    await store.refresh();
    source.add(100_000);
    for (let page = 0; !store.flooded; page++) {
      const { events } = await source.read({ after: String(1 + page * 1_000) }, 1_000);
      store.push(events, String(events.at(-1)?.line));
    }
    await store.leap();
    const late = await source.read({ after: "50000" }, 1_000);
    store.push(late.events, late.next);
    expect(lines(store)).toEqual(range(99_002, 100_001));
    expect(store.resume()).toBe("100001");
    source.add(2);
    const fresh = source.after(100_001);
    store.push(fresh.events, fresh.next);
    await store.older();
    expect(lines(store)).toEqual(range(98_002, 100_003));
  });

  test("waits for its first read before it takes events", async () => {
    const source = stream(2);
    const store = new LogStore(source.read);
    const early = source.after(1);
    store.push(early.events, early.next);
    expect(lines(store)).toEqual([]);
    await store.refresh();
    expect(lines(store)).toEqual([1, 2]);
  });

  test("tells its viewers of every change, with another snapshot", async () => {
    const source = stream(2);
    const store = new LogStore(source.read);
    let told = 0;
    const leave = store.subscribe(() => told++);
    const before = store.snapshot();
    await store.refresh();
    expect(told).toBe(1);
    expect(store.snapshot()).not.toBe(before);
    leave();
    source.add(1);
    await store.refresh();
    expect(told).toBe(1);
  });
});
