import clsx from "clsx";
import { useTranslation } from "react-i18next";

import type { RulEntry, RulReason } from "@/api/types";
import { useReasonText } from "@/components/remaining-life/reason-text";

/** What moves the model's prediction most: bars to the left shorten it, to the right lengthen it. */
export function RulReasons({ entry }: { entry: RulEntry }) {
  const { t } = useTranslation();
  const { reasons } = entry;
  const largest = Math.max(...reasons.map(({ effect_days: effect }) => Math.abs(effect)), 1);
  return (
    <div className="min-w-0">
      <h3 className="font-medium">{t("rul.reasons")}</h3>
      {reasons.length === 0 && <p className="text-muted">{t("rul.noReasons")}</p>}
      <ul className="mt-2 space-y-2" data-testid="rul-reasons">
        {reasons.map((reason) => (
          <Reason key={reason.feature} reason={reason} largest={largest} />
        ))}
      </ul>
    </div>
  );
}

function Reason({ reason, largest }: { reason: RulReason; largest: number }) {
  const text = useReasonText()(reason);
  const isShorter = reason.effect_days < 0;
  const width = (50 * Math.abs(reason.effect_days)) / largest;
  return (
    <li>
      {text === null ? (
        // The sentence of the service is in English.
        <p lang="en" className="break-words">
          {reason.sentence}
        </p>
      ) : (
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="font-medium">{text.name}</span>
          <span className="text-muted">{text.measured}</span>
          <span className="ml-auto">{text.effect}</span>
        </p>
      )}
      <div aria-hidden className="relative h-2 rounded-sm bg-surface-2">
        <span
          data-effect={isShorter ? "shorter" : "longer"}
          className={clsx("absolute inset-y-0", isShorter ? "rounded-l-sm" : "rounded-r-sm")}
          style={{
            left: `${isShorter ? 50 - width : 50}%`,
            width: `${width}%`,
            background: `var(--series-${isShorter ? 2 : 1})`,
          }}
        />
        <span className="absolute inset-y-0 left-1/2 border-l border-border-strong" />
      </div>
    </li>
  );
}
