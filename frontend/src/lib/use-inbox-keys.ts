import { useState } from "react";

import { useHotkeys } from "./use-hotkeys";

interface InboxKeys {
  /** Of the rows, in their order. */
  ids: readonly number[];
  onToggle: (id: number) => void;
  onOpen: (id: number) => void;
  onAcknowledge: (id: number) => void;
  onEscape: () => void;
}

/** j and k move, x selects, Enter opens, e acknowledges, Escape steps back. */
export function useInboxKeys({ ids, onToggle, onOpen, onAcknowledge, onEscape }: InboxKeys) {
  const [focused, setFocused] = useState<number | null>(null);
  const index = focused === null ? -1 : ids.indexOf(focused);
  const current = ids[index];
  const moveTo = (next: number) => {
    const id = ids[Math.min(ids.length - 1, Math.max(0, next))];
    if (id !== undefined) setFocused(id);
  };
  const onCurrent = (action: (id: number) => void) => () => {
    if (current !== undefined) action(current);
  };
  useHotkeys({
    j: () => moveTo(index + 1),
    k: () => moveTo(index - 1),
    x: onCurrent(onToggle),
    e: onCurrent(onAcknowledge),
    Enter: onCurrent(onOpen),
    Escape: onEscape,
  });
  return { focused, setFocused };
}
