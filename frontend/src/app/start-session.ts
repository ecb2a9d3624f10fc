import type { QueryClient } from "@tanstack/react-query";

import { refreshSession } from "@/api/client";
import { useSession } from "@/api/session";

/** Resume the session of the cookie, if there is one; forget cached data whenever a session ends. */
export function startSession(cache: QueryClient): () => void {
  const unsubscribe = useSession.subscribe(({ phase }, { phase: before }) => {
    if (phase === "signed-out" && before !== "signed-out") cache.clear();
  });
  void refreshSession().then((token) => {
    // Without an answer from the server the sign-in page reports it on the first attempt.
    if (token === null) useSession.getState().signedOut();
  });
  return unsubscribe;
}
