import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router-dom";

import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/states";

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <EmptyState
      title={t("common.notFound")}
      hint={t("common.notFoundHint")}
      action={
        <Link to="/" className="mt-2 text-accent underline">
          {t("common.home")}
        </Link>
      }
    />
  );
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
