import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { ApiError, address, api, send, UNREACHABLE } from "../api/client";
import { keys } from "../api/queries";
import type { Task } from "../api/types";
import { LogStore } from "../log/store";
import { applyTasks } from "./apply";
import { Feed, type FeedPorts, type FeedState } from "./feed";
import { EventStream } from "./stream";
import { atMostEvery, beforeNextFrame } from "./once";

/** A tab that nobody looks at gives its connection back after so long: a browser has six of them for a board. */
const HIDDEN_MS = 20_000;
/** How often such a tab asks instead, so that its title stays true. */
const HIDDEN_POLL_MS = 15_000;
const COUNTS_MS = 1_000;

interface Live {
  state: FeedState;
  /** When the board last answered, ms. */
  heard: number;
  /** The lines of the task that is looked at. */
  log: LogStore | null;
}

const Context = createContext<Live>({ state: "connecting", heard: 0, log: null });

/** How the page hears of changes now, and the log of the task on it. */
export function useLive(): Live {
  return useContext(Context);
}

/** Keeps the page current: by the events of all tasks, or of `taskId` with its lines while that is looked at. */
export function LiveProvider({ taskId, children }: { taskId: string | null; children: ReactNode }) {
  const client = useQueryClient();
  const [{ state, heard }, setHeard] = useState<Pick<Live, "state" | "heard">>({
    state: "connecting",
    heard: 0,
  });
  const log = useMemo(
    () => (taskId === null ? null : new LogStore((range, limit) => api.lines(taskId, range, limit))),
    [taskId],
  );

  useEffect(() => {
    const counts = atMostEvery(COUNTS_MS, () => {
      client.invalidateQueries({ queryKey: keys.projects });
      if (taskId !== null) client.invalidateQueries({ queryKey: keys.history(taskId) });
    });
    const ports: FeedPorts = {
      address: (place) =>
        address("/api/events", { task_id: taskId, after: log?.resume(), last_event_id: place }),
      open: (url) => new EventStream((init) => send(url, init)),
      soon: beforeNextFrame,
      refetch: async () => {
        await client.invalidateQueries({}, { throwOnError: true }).catch(unlessRefused);
        await log?.refresh().catch(unlessRefused);
      },
      tasks: (changed: Task[]) => {
        applyTasks(client, changed);
        counts();
      },
      lines: ({ events, next }) => {
        log?.push(events, next);
        if (log?.flooded) leap(feed, log);
      },
      state: (next) => setHeard((before) => hear(before, next, Date.now())),
    };
    const feed = new Feed(ports);
    return keepUp(feed, ports.refetch, log);
  }, [client, taskId, log]);

  const live = useMemo(() => ({ state, heard, log }), [state, heard, log]);
  return <Context value={live}>{children}</Context>;
}

/** The board was last heard when it was there last: at the moment in which it was lost. */
function hear(
  before: Pick<Live, "state" | "heard">,
  state: FeedState,
  now: number,
): Pick<Live, "state" | "heard"> {
  const there = before.state === "live" || before.state === "polling";
  return { state, heard: there || state === "live" ? now : before.heard };
}

/** A refusal is an answer: the board is there. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof ApiError) || error.status === UNREACHABLE || error.status >= 500) throw error;
}

/** Goes to the end of a log that grows faster than it can be read, and on from there. */
function leap(feed: Feed, log: LogStore): void {
  log.leap().then(
    () => feed.wake(),
    () => undefined,
  );
}

/** Starts a feed, the log's newest lines first; rests it in a hidden tab; returns what ends it. */
function keepUp(feed: Feed, refetch: () => Promise<void>, log: LogStore | null): () => void {
  let resting: ReturnType<typeof setTimeout> | undefined;
  let asking: ReturnType<typeof setInterval> | undefined;
  let ended = false;
  let started = false;
  const start = () => {
    if (ended || started) return;
    started = true;
    feed.start();
  };
  const rest = () => {
    started = false;
    feed.stop();
    asking = setInterval(() => void refetch().catch(() => undefined), HIDDEN_POLL_MS);
  };
  const awake = () => {
    clearTimeout(resting);
    clearInterval(asking);
  };
  const seen = () => {
    awake();
    if (document.hidden) resting = setTimeout(rest, HIDDEN_MS);
    else start();
  };
  const online = () => feed.wake();
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("online", online);
  (log ? log.refresh().catch(() => undefined) : Promise.resolve()).then(start);
  return () => {
    ended = true;
    awake();
    document.removeEventListener("visibilitychange", seen);
    window.removeEventListener("online", online);
    feed.stop();
  };
}
