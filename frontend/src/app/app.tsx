import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { RouterProvider } from "react-router-dom";
import { Toaster } from "sonner";

import { refreshSession } from "@/api/client";
import { createQueryClient } from "@/api/query-client";
import { useSession } from "@/api/session";
import { Skeleton } from "@/components/ui/states";
import { LoginPage } from "@/features/session/login-page";
import { usePreferences } from "@/stores/preferences";

import { router } from "./router";

export function App() {
  const [cache] = useState(createQueryClient);
  const phase = useSession((state) => state.phase);
  const theme = usePreferences((state) => state.theme);

  useEffect(() => {
    void refreshSession().then((token) => {
      // Without an answer the sign-in page says so when somebody tries.
      if (token === null) useSession.getState().signedOut();
    });
  }, []);
  useEffect(() => {
    if (phase === "signed-out") cache.clear();
  }, [phase, cache]);

  return (
    <QueryClientProvider client={cache}>
      {phase === "unknown" && (
        <div className="p-8">
          <Skeleton />
        </div>
      )}
      {phase === "signed-out" && <LoginPage />}
      {phase === "signed-in" && <RouterProvider router={router} future={{ v7_startTransition: true }} />}
      <Toaster theme={theme} position="bottom-right" visibleToasts={3} closeButton />
    </QueryClientProvider>
  );
}
