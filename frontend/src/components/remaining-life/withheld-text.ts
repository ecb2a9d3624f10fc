import { useTranslation } from "react-i18next";

import { isWithheldCode } from "@/i18n";
import { readSentence } from "@/lib/model-sentences";
import { isFeature } from "@/lib/rul-features";

import { useFeatureValue } from "./reason-text";

/** Why a prediction is withheld or wider, in the user's language; what is not known as a code is shown as received. */
export function useWhyText(): (reason: string) => string {
  const { t } = useTranslation();
  const sentenceText = useSentenceText();
  return (reason) => (isWithheldCode(reason) ? t(`rul.withheld.${reason}`) : (sentenceText(reason) ?? reason));
}

function useSentenceText(): (sentence: string) => string | null {
  const { t } = useTranslation();
  const valueOf = useFeatureValue();
  return (sentence) => {
    const read = readSentence(sentence);
    if (read === null) return null;
    const repeated =
      "repeated" in read && read.repeated > 0 ? ` ${t("rul.sentence.repeated", { days: read.repeated })}` : "";
    switch (read.kind) {
      case "noReading":
        return t("rul.sentence.noReading") + repeated;
      case "oldReading":
        return (
          (read.limit === null
            ? t("rul.sentence.oldReading", { days: read.days })
            : t("rul.sentence.tooOldReading", { days: read.days, limit: read.limit })) + repeated
        );
      case "fewDays":
        return t("rul.sentence.fewDays", { days: read.days, needed: read.needed }) + repeated;
      case "unknownInputs":
        return t("rul.sentence.unknownInputs", { share: read.share });
      case "unlikeFleet":
        return read.inputs
          .map(({ feature, value, low, high }) => {
            const text = (quantity: number) => (isFeature(feature) ? valueOf(quantity, feature) : String(quantity));
            const name = isFeature(feature) ? t(`rul.feature.${feature}`) : feature;
            return t("rul.sentence.unlikeFleet", { name, value: text(value), low: text(low), high: text(high) });
          })
          .join("; ");
    }
  };
}
