import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";

import { ruleQueries } from "@/api/queries";
import type { Alert, EffectiveRule } from "@/api/types";
import { Skeleton } from "@/components/ui/states";
import { useLanguage } from "@/i18n";
import { useNow } from "@/realtime/hooks";

import { kindOf } from "./alert-kinds";
import { AlertPeers } from "./alert-peers";
import { seenText, spanText, stepsOf } from "./alert-text";
import { limitText } from "./limit-text";

// The charts are the largest part of the program; the list of alerts must not wait for them.
const WhyChart = lazy(() =>
  import("./why-chart").then(
    (module) => ({ default: module.WhyChart }),
    // Without a network what is known of the alert stays on the page.
    () => ({ default: ChartMissing }),
  ),
);
const CHART_HEIGHT = 240;

/** Why an alert was raised and what to do about it. */
export function AlertExplanation({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const rule = useRule(alert);
  const channel = kindOf(alert)?.channel ?? null;
  const steps = stepsOf(alert, t);
  return (
    <>
      <Part title={t("why.heading.seen")}>
        <Seen alert={alert} />
      </Part>
      {steps.length > 0 && (
        <Part title={t("why.heading.todo")}>
          <ul className="list-disc space-y-1 pl-5">
            {steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ul>
        </Part>
      )}
      <Part title={t("why.heading.limit")}>
        <Limit alert={alert} rule={rule} />
      </Part>
      <Part title={t("why.heading.peers")}>
        {channel === null || alert.string_id === null || alert.battery_id === null ? (
          <p className="text-muted">{t("why.noPeers")}</p>
        ) : (
          <AlertPeers batteryId={alert.battery_id} stringId={alert.string_id} channel={channel} />
        )}
      </Part>
      <Part title={t("why.heading.chart")}>
        {channel === null || alert.battery_id === null ? (
          <p className="text-muted">{t("why.noChart")}</p>
        ) : (
          <Suspense fallback={<Skeleton height={CHART_HEIGHT} />}>
            <WhyChart alert={alert} batteryId={alert.battery_id} channel={channel} rule={rule} />
          </Suspense>
        )}
      </Part>
    </>
  );
}

function ChartMissing() {
  const { t } = useTranslation();
  return <p className="text-muted">{t("common.failed")}</p>;
}

/** The rule as it applies now; null for an alert that is not of a battery, and while it is not known. */
function useRule(alert: Alert): EffectiveRule | null {
  const batteryId = alert.battery_id;
  const rules = useQuery({ ...ruleQueries.ofBattery(batteryId ?? ""), enabled: batteryId !== null });
  return rules.data?.items.find((rule) => rule.rule_id === alert.rule_id) ?? null;
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="mb-3">
      <h3 className="mb-0.5 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Seen({ alert }: { alert: Alert }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const now = useNow(10_000);
  return (
    <>
      <p>{seenText(alert, { t, language })}</p>
      <p>{spanText(alert, now, { t, language })}</p>
    </>
  );
}

function Limit({ alert, rule }: { alert: Alert; rule: EffectiveRule | null }) {
  const { t } = useTranslation();
  const language = useLanguage();
  return <p>{limitText(alert, rule, { t, language })}</p>;
}
