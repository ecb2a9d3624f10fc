import { useState } from "react";

import { useSession } from "@/api/session";

/** Notes that were not sent, by user, action and incidents: a closed dialog or an expired session loses none of them. */
const drafts = new Map<string, string>();

export function useDraft(subject: string): { note: string; setNote: (note: string) => void; forget: () => void } {
  const username = useSession((state) => state.user?.username) ?? "";
  const key = `${username} ${subject}`;
  const [note, setNote] = useState(() => drafts.get(key) ?? "");
  return {
    note,
    setNote: (text) => {
      drafts.set(key, text);
      setNote(text);
    },
    forget: () => drafts.delete(key),
  };
}
