import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router-dom";

import { Button } from "@/components/ui/button";
import { EmptyState, NotFound } from "@/components/ui/states";

export function NotFoundPage() {
  return <NotFound />;
}

export function RouteError() {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <main className="p-8">
      <EmptyState
        title={t("common.crashed")}
        hint={error instanceof Error ? error.message : ""}
        action={
          <Button className="mt-2" onClick={() => location.reload()}>
            {t("common.reload")}
          </Button>
        }
      />
    </main>
  );
}
