interface Pace {
  /** Wait after the first event, so that what comes at once counts once. */
  groupMs: number;
  /** Shortest time between two runs. */
  everyMs: number;
  /** Up to this much longer, by chance: dashboards that hear the same event do not all ask in the same moment. */
  jitterMs: number;
}

/** Run an action soon after events, but never more often than the pace allows. */
export function paced(action: () => void, { groupMs, everyMs, jitterMs }: Pace) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ranAt = Number.NEGATIVE_INFINITY;
  const stop = () => clearTimeout(timer);
  const now = () => {
    stop();
    timer = undefined;
    ranAt = Date.now();
    action();
  };
  const soon = () => {
    timer ??= setTimeout(now, Math.max(groupMs, ranAt + everyMs - Date.now()) + Math.random() * jitterMs);
  };
  return { now, soon, stop };
}
