import { describe, expect, test, vi } from "vitest";
import { EventStream } from "../src/live/stream";

const EVENTS = { "content-type": "text/event-stream; charset=utf-8" };

/** A stream whose other end is this test. */
function connect(headers: Record<string, string> = EVENTS, status = 200) {
  let signal: AbortSignal | null | undefined;
  let writer: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      writer = controller;
    },
  });
  const source = new EventStream(async (init) => {
    signal = init.signal;
    signal?.addEventListener("abort", () => writer?.error(new DOMException("aborted", "AbortError")));
    return new Response(body, { status, headers });
  });
  const heard: string[] = [];
  for (const type of ["hello", "task", "error"]) {
    source.addEventListener(type, ({ data }) => heard.push(`${type} ${data}`.trim()));
  }
  const send = (text: string | Uint8Array) =>
    writer?.enqueue(typeof text === "string" ? new TextEncoder().encode(text) : text);
  return { source, heard, send, end: () => writer?.close(), aborted: () => signal?.aborted };
}

describe("events over fetch", () => {
  test("are told by name, each as soon as it is whole, comments left out", async () => {
    const { heard, send } = connect();
    send("event: hello\ndata: {}\nid: 1|2\n\n: still here\n\nevent: task\nda");
    await vi.waitFor(() => expect(heard).toEqual(["hello {}"]));
    send('ta: {"a":1}\n\n');
    await vi.waitFor(() => expect(heard).toEqual(["hello {}", 'task {"a":1}']));
  });

  test("keep letters whole that the network cut in two", async () => {
    const { heard, send } = connect();
    const bytes = new TextEncoder().encode("event: task\ndata: 雅\n\n");
    send(bytes.slice(0, 20));
    send(bytes.slice(20));
    await vi.waitFor(() => expect(heard).toEqual(["task 雅"]));
  });

  test("are lost once, when the board ends them", async () => {
    const { heard, end, aborted } = connect();
    end();
    await vi.waitFor(() => expect(heard).toEqual(["error"]));
    expect(aborted()).toBe(true);
  });

  test("are lost when the answer is a refusal or no events at all", async () => {
    const refused = connect({ "content-type": "application/problem+json" }, 401);
    const page = connect({ "content-type": "text/html" });
    await vi.waitFor(() => expect([refused.heard, page.heard]).toEqual([["error"], ["error"]]));
    expect([refused.aborted(), page.aborted()]).toEqual([true, true]);
  });

  test("give their connection back when they are closed, and tell nothing more", async () => {
    const { source, heard, send, aborted } = connect();
    send("event: hello\ndata: {}\n\n");
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    source.close();
    expect(aborted()).toBe(true);
    await Promise.resolve();
    expect(heard.filter((each) => each !== "error")).toEqual(["hello {}"]);
  });
});
