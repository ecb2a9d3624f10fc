import { useEffect, useRef } from "react";

import { usePreferences } from "@/stores/preferences";

/**
 * Actions by key, as `KeyboardEvent.key` spells it: `"/"`, `"Escape"`, two keys in a row as `"g f"`, Ctrl or Cmd as
 * `"mod+k"`.
 */
export type Hotkeys = Readonly<Record<string, () => void>>;

const SEQUENCE_MS = 1000;
const CONTROL = "a, button, input, summary";
const TYPING = "input:not([type=checkbox]), textarea, select, [role=dialog]";

/**
 * Run actions on keys anywhere on the page. Plain keys do nothing while the user types, while a dialog is open, or when
 * single-key shortcuts are switched off; `Enter` is left to the focused control; `mod+` keys always work.
 */
export function useHotkeys(hotkeys: Hotkeys): void {
  const latest = useRef(hotkeys);
  latest.current = hotkeys;
  useEffect(() => {
    let previous = { key: "", time: 0 };
    const onKey = (event: KeyboardEvent) => {
      const sequence = event.timeStamp - previous.time < SEQUENCE_MS ? `${previous.key} ${event.key}` : "";
      const name = hasModifier(event) ? `mod+${event.key}` : event.key;
      if (!hasModifier(event)) {
        if (isReserved(event)) return;
        previous = { key: event.key, time: event.timeStamp };
      }
      const action = latest.current[sequence] ?? latest.current[name];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function hasModifier(event: KeyboardEvent): boolean {
  return event.metaKey || event.ctrlKey;
}

function isReserved(event: KeyboardEvent): boolean {
  if (event.altKey || (event.target instanceof Element && event.target.closest(TYPING) !== null)) return true;
  if (event.key === "Enter" && event.target instanceof Element && event.target.closest(CONTROL) !== null) return true;
  return event.key !== "Escape" && !usePreferences.getState().shortcuts;
}
