import { Fragment, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router-dom";

import { useWaiting } from "@/stores/waiting";

interface Step {
  name: string;
  to?: string;
}

/** The path from the fleet down to this page. */
export function Breadcrumb({ steps }: { steps: readonly Step[] }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t("nav.breadcrumb")} className="mb-1 text-muted">
      <Link to="/" className="hover:underline">
        {t("nav.fleet")}
      </Link>
      {steps.map(({ name, to }) => (
        <Fragment key={name}>
          {" / "}
          {to === undefined ? (
            <span>{name}</span>
          ) : (
            <Link to={to} className="hover:underline">
              {name}
            </Link>
          )}
        </Fragment>
      ))}
    </nav>
  );
}

/** The title of the tab: how much waits and the page first, since tabs are narrow. */
export function useTitle(page: string | undefined): void {
  const { t } = useTranslation();
  const app = t("app.title");
  const waiting = useWaiting((state) => state.count);
  useEffect(() => {
    const title = page === undefined ? app : `${page} · ${app}`;
    document.title = waiting ? `(${waiting}) ${title}` : title;
  }, [page, app, waiting]);
}
