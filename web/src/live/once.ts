/** Runs `action` at most once each `ms`: at once, and again at the end when it was asked for in between. */
export function atMostEvery(ms: number, action: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const rest = () => {
    timer = undefined;
    if (!again) return;
    again = false;
    run();
  };
  const run = () => {
    if (timer !== undefined) {
      again = true;
      return;
    }
    action();
    timer = setTimeout(rest, ms);
  };
  return run;
}

/** Runs once before the next frame, or soon in a tab that is not drawn. */
export function beforeNextFrame(run: () => void): void {
  if (document.hidden) setTimeout(run, 250);
  else requestAnimationFrame(run);
}
