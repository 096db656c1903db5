import { createParser } from "eventsource-parser";
import type { Source } from "./feed";

type Listener = (event: { data: string }) => void;

/** Longest event, characters: a page of 1,000 lines may come as one. */
const LONGEST = 64_000_000;

/**
 * Server-Sent Events over `fetch`, which unlike an EventSource can carry a token.
 *
 * Each event is handed on as soon as its last byte is there. It never connects again by itself: `error` says, once,
 * that the answer was none of events, that it ended, or that it broke off.
 */
export class EventStream implements Source {
  private readonly listeners = new Map<string, Listener[]>();
  private readonly stop = new AbortController();

  constructor(open: (init: RequestInit) => Promise<Response>) {
    const headers = { accept: "text/event-stream" };
    this.read(open({ headers, cache: "no-store", signal: this.stop.signal }))
      .catch(() => undefined)
      .then(() => this.lost());
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  close(): void {
    this.stop.abort();
  }

  private async read(opening: Promise<Response>): Promise<void> {
    const { ok, headers, body } = await opening;
    if (!ok || !body || !headers.get("content-type")?.startsWith("text/event-stream")) return this.close();
    const parser = createParser({
      onEvent: ({ event, data }) => this.tell(event ?? "message", data),
      maxBufferSize: LONGEST,
    });
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(value);
    }
  }

  private lost(): void {
    for (const listener of this.listeners.get("error") ?? []) listener({ data: "" });
    this.close();
  }

  private tell(type: string, data: string): void {
    if (this.stop.signal.aborted) return;
    for (const listener of this.listeners.get(type) ?? []) listener({ data });
  }
}
