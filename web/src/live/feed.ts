import type { LogEvent, Task } from "../api/types";

/** `connecting`: no word yet or the line was lost; `polling`: no events to be had, asked every 5 s; `offline`: no answer. */
export type FeedState = "connecting" | "live" | "polling" | "offline";

/** New lines of a task, and where to go on after them. */
export interface NewLines {
  events: LogEvent[];
  next: string;
}

/** What a feed needs of a connection: its events by name, and `error` once it is lost. */
export interface Source {
  addEventListener(type: string, listener: (event: { data: string }) => void): void;
  close(): void;
}

export interface FeedPorts {
  /** Where to connect, asked anew at each attempt; `place` is where the last visit ended. */
  address(place: string | null): string;
  open(address: string): Source;
  /** Run once before the next frame is drawn. */
  soon(run: () => void): void;
  /** What is shown may be out of date: fetch it again. Rejects when the board does not answer. */
  refetch(): Promise<void>;
  tasks(changed: Task[]): void;
  lines?(lines: NewLines): void;
  state(state: FeedState): void;
}

export const POLL_MS = 5_000;
/** Without a `hello` for so long something between swallows the events. */
export const HELLO_MS = 5_000;
export const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

type Timer = ReturnType<typeof setTimeout>;

/**
 * One connection to the board's events, kept up: applied in batches, once a frame; while there is none the board is
 * asked every 5 s instead, and the events come back by themselves.
 */
export class Feed {
  private source: Source | null = null;
  private failures = 0;
  private place: string | null = null;
  private waiting: Timer | undefined;
  private poll: Timer | undefined;
  private tasks = new Map<string, Task>();
  private lines: NewLines[] = [];
  private flushing = false;
  private stopped = false;

  constructor(private readonly ports: FeedPorts) {}

  start(): void {
    this.stopped = false;
    this.ports.state("connecting");
    this.connect();
  }

  /** Let go of the connection; {@link start} takes it up again. */
  stop(): void {
    this.stopped = true;
    this.disconnect();
    clearTimeout(this.poll);
    this.poll = undefined;
  }

  /** Try again now: the machine woke up, or the network came back. */
  wake(): void {
    if (this.stopped) return;
    this.failures = 0;
    this.connect();
  }

  private connect(): void {
    this.disconnect();
    const source = this.ports.open(this.ports.address(this.place));
    this.source = source;
    this.waiting = setTimeout(() => this.lost(source), HELLO_MS);
    source.addEventListener("hello", (event) => this.hello(source, event.data));
    source.addEventListener("task", (event) => this.task(source, event.data));
    source.addEventListener("lines", (event) => this.line(source, event.data));
    source.addEventListener("again", (event) => this.again(source, event.data));
    source.addEventListener("error", () => this.lost(source));
  }

  private disconnect(): void {
    clearTimeout(this.waiting);
    this.source?.close();
    this.source = null;
    // The next address names the place behind the last line that was applied.
    this.flush();
  }

  private hello(source: Source, data: string): void {
    if (source !== this.source) return;
    const { resumed } = JSON.parse(data) as { resumed?: boolean };
    clearTimeout(this.waiting);
    clearTimeout(this.poll);
    this.poll = undefined;
    this.failures = 0;
    this.ports.state("live");
    if (!resumed) this.ports.refetch().catch(() => undefined);
  }

  /** The board answers in visits: come again later, from where this one ended. */
  private again(source: Source, data: string): void {
    if (source !== this.source) return;
    const { milliseconds, place } = JSON.parse(data) as { milliseconds: number; place: string };
    this.disconnect();
    this.place = place;
    this.waiting = setTimeout(() => this.connect(), milliseconds);
  }

  private lost(source: Source): void {
    if (source !== this.source) return;
    this.disconnect();
    this.place = null;
    const delay = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
    this.waiting = setTimeout(() => this.connect(), delay);
    if (this.poll !== undefined) return;
    this.ports.state("connecting");
    this.poll = setTimeout(() => this.ask(), delay);
  }

  private ask(): void {
    const turn = this.poll;
    const still = () => this.poll === turn && !this.stopped;
    this.ports
      .refetch()
      .then(
        () => still() && this.ports.state("polling"),
        () => still() && this.ports.state("offline"),
      )
      .finally(() => {
        if (still()) this.poll = setTimeout(() => this.ask(), POLL_MS);
      });
  }

  private task(source: Source, data: string): void {
    if (source !== this.source) return;
    const task = JSON.parse(data) as Task;
    const known = this.tasks.get(task.task_id);
    if (!known || known.timestamp <= task.timestamp) this.tasks.set(task.task_id, task);
    this.schedule();
  }

  private line(source: Source, data: string): void {
    if (source !== this.source) return;
    this.lines.push(JSON.parse(data) as NewLines);
    this.schedule();
  }

  private schedule(): void {
    if (this.flushing) return;
    this.flushing = true;
    this.ports.soon(() => this.flush());
  }

  private flush(): void {
    this.flushing = false;
    const { tasks, lines } = this;
    this.tasks = new Map();
    this.lines = [];
    if (tasks.size > 0) this.ports.tasks([...tasks.values()]);
    for (const each of lines) this.ports.lines?.(each);
  }
}
