import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

function snapshot(): number {
  // Without a running timer the last tick may be long ago.
  if (timer === undefined) now = Date.now();
  return now;
}

/** The time in ms, anew each second: one timer for all who ask. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, snapshot);
}
