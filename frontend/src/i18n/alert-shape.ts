import type { Shape } from "./en";
import type { alertTexts } from "./en-alerts";

export type EnglishAlertTexts = typeof alertTexts;
/** Every language has exactly the keys of English. */
export type AlertTexts = Shape<EnglishAlertTexts>;
