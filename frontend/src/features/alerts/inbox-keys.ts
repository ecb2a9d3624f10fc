import { useEffect, useState } from "react";

import type { Alert } from "@/api/types";
import { usePreferences } from "@/stores/preferences";

interface InboxKeys {
  items: readonly Alert[];
  onToggle: (alertId: number) => void;
  onOpen: (alertId: number) => void;
  onAcknowledge: (alert: Alert) => void;
  onEscape: () => void;
}

/** j and k move, x selects, enter opens, e acknowledges, escape steps back; never while somebody types. */
export function useInboxKeys({ items, onToggle, onOpen, onAcknowledge, onEscape }: InboxKeys) {
  const [focused, setFocused] = useState<number | null>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (
        (!usePreferences.getState().shortcuts && event.key !== "Escape") ||
        event.metaKey ||
        event.ctrlKey ||
        event.altKey ||
        target.closest("input:not([type=checkbox]), textarea, select, [role=dialog]")
      )
        return;
      const index = items.findIndex((alert) => alert.alert_id === focused);
      const current = items[index];
      if (event.key === "j" || event.key === "k") {
        const next = items[Math.min(items.length - 1, Math.max(0, index + (event.key === "j" ? 1 : -1)))];
        if (next) setFocused(next.alert_id);
      } else if (event.key === "Escape") onEscape();
      else if (current && event.key === "x") onToggle(current.alert_id);
      else if (current && event.key === "e") onAcknowledge(current);
      else if (current && event.key === "Enter" && target === document.body) onOpen(current.alert_id);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
  return { focused, setFocused };
}
