import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";

import type { Problem } from "@/api/errors";
import type { AlertType } from "@/api/types";
import type { Language } from "@/lib/dates";

import type {
  EnglishAlarmLoadTexts,
  EnglishAlertTexts,
  EnglishIncidentTexts,
  EnglishSilenceTexts,
} from "./alert-shape";
import { en } from "./en";
import type { EnglishRuleTexts } from "./rule-shape";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: {
      translation: typeof en &
        EnglishAlertTexts &
        EnglishIncidentTexts &
        EnglishRuleTexts &
        EnglishSilenceTexts &
        EnglishAlarmLoadTexts;
    };
  }
}

void i18next.use(initReactI18next).init({
  resources: { en: { translation: en } },
  lng: "en",
  fallbackLng: "en",
  interpolation: { escapeValue: false },
});

/** Fetches the texts of a language unless they are here; English comes with the program. */
async function load(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, "translation")) return;
  const { th } = await import("./th");
  i18next.addResourceBundle(language, "translation", th);
}

/** Shows the stored language, or English where its texts cannot be fetched. */
export async function showStoredLanguage(): Promise<void> {
  let language: Language = localStorage.getItem("language") === "th" ? "th" : "en";
  try {
    await load(language);
  } catch {
    language = "en";
  }
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

export function setLanguage(language: Language): void {
  localStorage.setItem("language", language);
  void showStoredLanguage();
}

export function useLanguage(): Language {
  return useTranslation().i18n.language === "th" ? "th" : "en";
}

/** What went wrong, in the user's language where the code has a text; else the server's own sentence. */
export function problemText({ status, code, detail }: Pick<Problem, "status" | "code" | "detail">): string {
  if (status === null) return i18next.t("session.unreachable");
  // The server's English names the id in question, so it says more than the text by code.
  return i18next.language === "th" && isProblemCode(code) ? i18next.t(`problem.${code}`) : detail;
}

function isProblemCode(code: string): code is keyof typeof en.problem {
  return code in en.problem;
}

/** A unit in the user's language; physical units read the same in both. */
export function unitText(unit: string | null): string {
  if (unit === null) return "";
  return isTimeUnit(unit) ? i18next.t(`unit.${unit}`) : unit;
}

function isTimeUnit(unit: string): unit is keyof typeof en.unit {
  return unit in en.unit;
}

/** Whether a code has a text; any other is shown as received, not hidden. */
export function isAlertType(code: string): code is AlertType {
  return Object.hasOwn(en.type, code);
}

/** Every alert type of the gateway's description; the compiler refuses texts that lack one. */
export const alertTypes = Object.keys(en.type).filter(isAlertType);

/** Whether a reason without a prediction is a code that has a text; the model's own reasons are sentences. */
export function isWithheldCode(reason: string): reason is keyof typeof en.rul.withheld {
  return Object.hasOwn(en.rul.withheld, reason);
}

/** Whether a unit is written in words; any other is a symbol. */
export function isRulUnit(unit: string): unit is keyof typeof en.rul.unit {
  return Object.hasOwn(en.rul.unit, unit);
}

/** Whether a quantity by which a battery deviates from its string has a text. */
export function isPeerQuantity(quantity: string): quantity is keyof typeof en.rul.peerQuantity {
  return Object.hasOwn(en.rul.peerQuantity, quantity);
}

/** Whether a figure of a model's evaluation has a text. */
export function isModelMetric(name: string): name is keyof typeof en.models.metric {
  return Object.hasOwn(en.models.metric, name);
}
