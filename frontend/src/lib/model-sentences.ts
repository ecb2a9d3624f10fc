/** What the prediction service says in English sentences, taken apart so that it can be said in any language. */

interface UnfamiliarInput {
  feature: string;
  value: number;
  low: number;
  high: number;
}

export type ModelSentence =
  | { kind: "noReading"; repeated: number }
  | { kind: "oldReading"; days: number; limit: number | null; repeated: number }
  | { kind: "fewDays"; days: number; needed: number; repeated: number }
  | { kind: "unknownInputs"; share: number }
  | { kind: "unlikeFleet"; inputs: UnfamiliarInput[] };

const INPUT = /(\w+) is (\S+); P5 to P95 of the training fleet is (\S+) to ([^\s;]+)/g;

/** Take a sentence of `battery_ml.serving.trust` apart; null for any other, which is shown as received. */
export function readSentence(sentence: string): ModelSentence | null {
  const repeated = Number(/\((\d+) days repeat the one before/.exec(sentence)?.[1] ?? 0);
  if (sentence.startsWith("the history holds no reading of the battery")) return { kind: "noReading", repeated };
  const old = /^the last reading is (\d+) days old(?:.*the limit is (\d+))?/.exec(sentence);
  if (old) return { kind: "oldReading", days: Number(old[1]), limit: old[2] ? Number(old[2]) : null, repeated };
  const few = /^only (\d+) days have readings.*; (\d+) are needed$/.exec(sentence);
  if (few) return { kind: "fewDays", days: Number(few[1]), needed: Number(few[2]), repeated };
  const unknown = /^(\d+)% of the model's inputs are unknown$/.exec(sentence);
  if (unknown) return { kind: "unknownInputs", share: Number(unknown[1]) };
  const inputs = [...sentence.matchAll(INPUT)].map(([, feature = "", value, low, high]) => ({
    feature,
    value: Number(value),
    low: Number(low),
    high: Number(high),
  }));
  return inputs.length > 0 ? { kind: "unlikeFleet", inputs } : null;
}
