import i18next from "i18next";

import { silenceTexts } from "./en-silences";

// Only their page needs them. Thai comes whole.
i18next.addResourceBundle("en", "translation", silenceTexts, true, true);
