import i18next from "i18next";

import type { AlertType } from "@/api/types";

import { isAlertType } from ".";
import { alertTexts } from "./en-alerts";

// Only pages with alerts need them, so that they are no part of what every page waits for. Thai comes whole.
i18next.addResourceBundle("en", "translation", alertTexts, true, true);

type Sentences = typeof alertTexts.why.sentence;
/** Code of a message that has a sentence here. */
export type MessageCode = keyof Sentences;
/** What to do; several messages share one. */
export type Advice = keyof typeof alertTexts.why.steps;

/** Whether a message has a sentence; any other is shown in the gateway's English. */
export function isMessageCode(code: string): code is MessageCode {
  return Object.hasOwn(alertTexts.why.sentence, code);
}

/** The name of a type; one that is newer than this program is shown in words. */
export function alertTypeText(type: AlertType): string {
  return isAlertType(type) ? i18next.t(`type.${type}`) : String(type).replaceAll("_", " ");
}
