import { useEffect, useState, useSyncExternalStore } from "react";

import { liveStore } from "./connection";
import type { LiveValue } from "./live-store";

/** Render again when live values changed, at most once a frame. */
export function useLiveVersion(): number {
  return useSyncExternalStore(liveStore.subscribe, liveStore.getVersion);
}

export function useLiveValue(batteryId: string): LiveValue | undefined {
  return useSyncExternalStore(liveStore.subscribe, () => liveStore.get(batteryId));
}

/** The present, moving on every `everyMs`; ages are counted from it. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
