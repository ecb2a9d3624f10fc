import { type RefObject, useEffect, useRef } from "react";

/** A ref for a panel: when it leaves, the focus that was in it returns to where it was before the panel came. */
export function useReturningFocus<T extends HTMLElement>(): RefObject<T> {
  const panel = useRef<T>(null);
  useEffect(() => {
    const before = document.activeElement;
    const shown = panel.current;
    return () => {
      const now = document.activeElement;
      const wasInside = now === null || now === document.body || shown?.contains(now) === true;
      if (wasInside && before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return panel;
}
