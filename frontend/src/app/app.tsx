import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { RouterProvider } from "react-router-dom";
import { Toaster } from "sonner";

import { useSession } from "@/api/session";
import { Skeleton } from "@/components/ui/states";
import { LoginPage } from "@/features/session/login-page";
import { usePreferences } from "@/stores/preferences";

import { router } from "./router";

export function App({ cache }: { cache: QueryClient }) {
  const { t } = useTranslation();
  const phase = useSession((state) => state.phase);
  const theme = usePreferences((state) => state.theme);
  return (
    <QueryClientProvider client={cache}>
      {phase === "unknown" && (
        <div className="p-8">
          <Skeleton />
        </div>
      )}
      {phase === "signed-out" && <LoginPage />}
      {phase === "signed-in" && <RouterProvider router={router} future={{ v7_startTransition: true }} />}
      <Toaster
        theme={theme}
        position="bottom-right"
        visibleToasts={3}
        closeButton
        containerAriaLabel={t("common.notifications")}
        toastOptions={{ closeButtonAriaLabel: t("common.close") }}
      />
    </QueryClientProvider>
  );
}
