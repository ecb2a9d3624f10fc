import type { Shape } from "./en";
import type { ruleTexts } from "./en-rules";

export type EnglishRuleTexts = typeof ruleTexts;
/** Every language has exactly the keys of English. */
export type RuleTexts = Shape<EnglishRuleTexts>;
