import { useState } from "react";

import type { Alert } from "@/api/types";
import { useHotkeys } from "@/lib/use-hotkeys";

interface InboxKeys {
  items: readonly Alert[];
  onToggle: (alertId: number) => void;
  onOpen: (alertId: number) => void;
  onAcknowledge: (alert: Alert) => void;
  onEscape: () => void;
}

/** j and k move, x selects, Enter opens, e acknowledges, Escape steps back. */
export function useInboxKeys({ items, onToggle, onOpen, onAcknowledge, onEscape }: InboxKeys) {
  const [focused, setFocused] = useState<number | null>(null);
  const index = items.findIndex((alert) => alert.alert_id === focused);
  const current = items[index];
  const moveTo = (next: number) => {
    const alert = items[Math.min(items.length - 1, Math.max(0, next))];
    if (alert) setFocused(alert.alert_id);
  };
  useHotkeys({
    j: () => moveTo(index + 1),
    k: () => moveTo(index - 1),
    x: () => current && onToggle(current.alert_id),
    e: () => current && onAcknowledge(current),
    Enter: () => current && onOpen(current.alert_id),
    Escape: onEscape,
  });
  return { focused, setFocused };
}
