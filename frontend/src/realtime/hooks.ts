import { useEffect, useState, useSyncExternalStore } from "react";

import { liveStore } from "./connection";
import type { LiveLookup, LiveValue } from "./live-store";

/** The look-up of live values; renders again when they change, at most once per frame. */
export function useLiveLookup(): LiveLookup {
  return useSyncExternalStore(liveStore.subscribe, liveStore.getLookup);
}

export function useLiveValue(batteryId: string | null): LiveValue | undefined {
  return useSyncExternalStore(liveStore.subscribe, () => (batteryId === null ? undefined : liveStore.get(batteryId)));
}

/** When the last live update arrived; null before the first. */
export function useLastUpdateAt(): number | null {
  return useSyncExternalStore(liveStore.subscribe, () => liveStore.lastUpdateAt);
}

/** The present, advancing every `everyMs`; ages count from it. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
