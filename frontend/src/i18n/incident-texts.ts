import i18next from "i18next";

import { incidentTexts } from "./en-incidents";

// Only the inbox needs them, so that they are no part of what every page waits for. Thai comes whole.
i18next.addResourceBundle("en", "translation", incidentTexts, true, true);

/** What can be done about an incident. */
export type ActionKind = keyof typeof incidentTexts.incidents.action;
