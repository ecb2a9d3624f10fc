import { useTranslation } from "react-i18next";

import type { RulReason } from "@/api/types";
import { isRulUnit } from "@/i18n";
import { type Feature, isFeature, onScreen } from "@/lib/rul-features";

import { useSpanText } from "./span-text";

/** A value of a feature with its unit in the user's language. */
export function useFeatureValue(): (value: number, feature: Feature) => string {
  const { t } = useTranslation();
  return (value, feature) => {
    const { number, unit } = onScreen(value, feature);
    return `${number} ${isRulUnit(unit) ? t(`rul.unit.${unit}`) : unit}`;
  };
}

interface ReasonText {
  name: string;
  /** Measured value beside the median of the fleet. */
  measured: string;
  effect: string;
}

/** A reason in words; of an unknown code null, for which the service's own sentence stands. */
export function useReasonText(): (reason: RulReason) => ReasonText | null {
  const { t } = useTranslation();
  const valueOf = useFeatureValue();
  const spanText = useSpanText();
  return ({ feature, value, fleet_norm: norm, effect_days: effect }) => {
    if (!isFeature(feature)) return null;
    const known = (quantity: number | null) => (quantity === null ? t("rul.notKnown") : valueOf(quantity, feature));
    return {
      name: t(`rul.feature.${feature}`),
      measured: t("rul.measured", { value: known(value), norm: known(norm) }),
      effect: t(effect < 0 ? "rul.shorter" : "rul.longer", { span: spanText(Math.abs(effect)) }),
    };
  };
}
