import type { Shape } from "./en";
import type { alertTexts } from "./en-alerts";
import type { incidentTexts } from "./en-incidents";

export type EnglishAlertTexts = typeof alertTexts;
export type EnglishIncidentTexts = typeof incidentTexts;
/** Every language has exactly the keys of English. */
export type AlertTexts = Shape<EnglishAlertTexts>;
export type IncidentTexts = Shape<EnglishIncidentTexts>;
