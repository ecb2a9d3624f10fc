import type { Shape } from "./en";
import type { alarmLoadTexts } from "./en-alarm-load";
import type { alertTexts } from "./en-alerts";
import type { incidentTexts } from "./en-incidents";
import type { silenceTexts } from "./en-silences";

export type EnglishAlertTexts = typeof alertTexts;
export type EnglishIncidentTexts = typeof incidentTexts;
export type EnglishSilenceTexts = typeof silenceTexts;
export type EnglishAlarmLoadTexts = typeof alarmLoadTexts;
/** Every language has exactly the keys of English. */
export type AlertTexts = Shape<EnglishAlertTexts>;
export type IncidentTexts = Shape<EnglishIncidentTexts>;
export type SilenceTexts = Shape<EnglishSilenceTexts>;
export type AlarmLoadTexts = Shape<EnglishAlarmLoadTexts>;
