import i18next from "i18next";
import { initReactI18next, useTranslation } from "react-i18next";

import type { Language } from "@/lib/dates";

import { en } from "./en";
import { th } from "./th";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

void i18next.use(initReactI18next).init({
  resources: { en: { translation: en }, th: { translation: th } },
  lng: localStorage.getItem("language") === "th" ? "th" : "en",
  fallbackLng: "en",
  interpolation: { escapeValue: false },
});

export function setLanguage(language: Language): void {
  localStorage.setItem("language", language);
  document.documentElement.lang = language;
  void i18next.changeLanguage(language);
}

export function useLanguage(): Language {
  return useTranslation().i18n.language === "th" ? "th" : "en";
}

/** Whether a code has words of its own; any other is shown as it came, not hidden. */
export function isAlertType(code: string): code is keyof typeof en.type {
  return code in en.type;
}
