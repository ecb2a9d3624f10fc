import i18next from "i18next";

import { ruleTexts } from "./en-rules";

// Only the page of the rules needs them. Thai comes whole.
i18next.addResourceBundle("en", "translation", ruleTexts, true, true);

/** A signal that has a name here. */
export type NamedSignal = keyof typeof ruleTexts.rules.signal;

/** Whether a signal has a name; any other is shown as the gateway calls it. */
export function isNamedSignal(signal: string): signal is NamedSignal {
  return Object.hasOwn(ruleTexts.rules.signal, signal);
}

/** A refusal that has a sentence here. */
export function isRefusal(code: string): code is keyof typeof ruleTexts.rules.refused {
  return Object.hasOwn(ruleTexts.rules.refused, code);
}
