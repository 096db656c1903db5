import type { Lines, LogEvent } from "../api/types";
import { append, fold, prepend, type Row } from "./fold";

/** Reads a stream's lines after a place, or the last ones before it (`""`: the end). */
export type ReadLines = (range: { after: string } | { before: string }, limit: number) => Promise<Lines>;

export interface LogView {
  rows: readonly Row[];
  /** Older lines can be loaded. */
  older: boolean;
  /** Rows that the last load put before the others, for a reader's place to stay. */
  prepended: number;
  /** Changes with every change of the rows. */
  version: number;
}

const PAGE = 1_000;
const CATCH_UP_PAGE = 10_000;
/** Rows held while the reader follows the end. */
const HELD = 50_000;
/** So many full pages of new lines in a row are a flood. */
const FLOOD_PAGES = 30;
/** Positions of the newest lines that are remembered, so that none comes in by two ways. */
const REMEMBERED = 2 * CATCH_UP_PAGE;

/**
 * The lines of one stream that the page holds: a gapless stretch that ends at {@link next}, growing at both ends.
 *
 * Lines come from reads and from events, and may come by both; each is held once.
 */
export class LogStore {
  private rows: Row[] = [];
  private previous: string | null = null;
  private recent = new Set<string>();
  private listeners = new Set<() => void>();
  private loading: Promise<void> | null = null;
  private view: LogView = { rows: this.rows, older: false, prepended: 0, version: 0 };
  /** The place behind the newest line held; `null` before the first read. */
  next: string | null = null;
  /** Whether the reader is at the end, so that what is far above may be let go. */
  following = true;
  private fullPages = 0;
  private leaping = false;

  constructor(private readonly read: ReadLines) {}

  /** For `useSyncExternalStore`. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** The same object until something changes. */
  snapshot = (): LogView => this.view;

  /** Read the newest lines, or what came after those that are held. */
  async refresh(): Promise<void> {
    if (this.next !== null) return this.catchUp();
    const page = await this.read({ before: "" }, PAGE);
    if (this.next === null) this.beginWith(page);
  }

  /** The place to connect the events' feed at: right behind the lines held. */
  resume(): string | null {
    this.leaping = false;
    return this.next;
  }

  /** Whether lines come faster than a reader at the end could see them: then {@link leap}. */
  get flooded(): boolean {
    return this.following && !this.leaping && this.fullPages >= FLOOD_PAGES;
  }

  /**
   * Hold the newest lines instead of those held; what is between can be loaded as older ones. The feed's lines are
   * not taken from here on: connect it anew, at {@link resume}.
   */
  async leap(): Promise<void> {
    this.leaping = true;
    this.fullPages = 0;
    try {
      this.beginWith(await this.read({ before: "" }, PAGE));
    } catch (error) {
      this.leaping = false;
      throw error;
    }
  }

  private beginWith(page: Lines): void {
    this.rows = fold(page.events);
    this.recent.clear();
    this.unseen(page.events);
    this.next = page.next;
    this.previous = page.events.length < PAGE ? null : page.previous;
    this.changed(0);
  }

  /** New lines; those that had come another way before are left out. Before the first read it waits for that. */
  push(events: readonly LogEvent[], next: string): void {
    if (this.next === null || this.leaping) return;
    this.fullPages = events.length >= PAGE ? this.fullPages + 1 : 0;
    const fresh = this.unseen(events);
    if (fresh.length === 0) return;
    append(this.rows, fresh);
    this.next = next;
    if (this.following) this.letGo();
    this.changed(0);
  }

  /** Load the lines before those held; one call at a time. */
  older(): Promise<void> {
    this.loading ??= this.readOlder().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  private async readOlder(): Promise<void> {
    if (this.previous === null) return;
    const page = await this.read({ before: this.previous }, PAGE);
    const before = this.rows.length;
    this.rows = prepend(fold(page.events), this.rows);
    this.previous = page.events.length < PAGE ? null : page.previous;
    this.changed(this.rows.length - before);
  }

  private async catchUp(): Promise<void> {
    for (;;) {
      const from = this.next ?? "";
      const page = await this.read({ after: from }, CATCH_UP_PAGE);
      if (this.next !== from) return;
      this.push(page.events, page.next);
      if (this.next === from) return;
    }
  }

  /** Keeps a burst of any length from filling the memory; what is let go can be loaded again. */
  private letGo(): void {
    if (this.rows.length <= HELD) return;
    this.rows = this.rows.slice(-HELD / 2);
    this.previous = this.rows[0]?.position ?? null;
  }

  private unseen(events: readonly LogEvent[]): LogEvent[] {
    const fresh = events.filter((event) => !this.recent.has(event.position));
    for (const event of fresh) this.recent.add(event.position);
    for (const position of this.recent) {
      if (this.recent.size <= REMEMBERED) break;
      this.recent.delete(position);
    }
    return fresh;
  }

  private changed(prepended: number): void {
    this.view = {
      rows: this.rows,
      older: this.previous !== null,
      prepended,
      version: this.view.version + 1,
    };
    for (const listener of this.listeners) listener();
  }
}
