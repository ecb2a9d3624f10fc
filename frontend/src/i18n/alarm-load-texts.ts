import i18next from "i18next";

import { alarmLoadTexts } from "./en-alarm-load";

// Only their page needs them. Thai comes whole.
i18next.addResourceBundle("en", "translation", alarmLoadTexts, true, true);
