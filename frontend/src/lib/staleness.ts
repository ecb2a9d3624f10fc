/** Age past which a reading counts as stale when the gateway does not state another limit. */
export const DEFAULT_STALE_AFTER_S = 300;

/** Whether a reading is too old to show as current; without any reading it is. */
export function isStale(time: number | null, staleAfterS: number, now: number): boolean {
  return time === null || now - time > staleAfterS * 1000;
}
