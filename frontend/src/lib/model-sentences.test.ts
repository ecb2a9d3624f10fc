import { expect, it } from "vitest";

import { readSentence } from "./model-sentences";
import { isFeature, onScreen } from "./rul-features";

it.each([
  ["the history holds no reading of the battery", { kind: "noReading", repeated: 0 }],
  [
    "the history holds no reading of the battery (12 days repeat the one before and count as none)",
    { kind: "noReading", repeated: 12 },
  ],
  ["the last reading is 9 days old", { kind: "oldReading", days: 9, limit: null, repeated: 0 }],
  [
    "the last reading is 40 days old (3 days repeat the one before and count as none); the limit is 30",
    { kind: "oldReading", days: 40, limit: 30, repeated: 3 },
  ],
  ["only 12 days have readings; 30 are needed", { kind: "fewDays", days: 12, needed: 30, repeated: 0 }],
  ["12% of the model's inputs are unknown", { kind: "unknownInputs", share: 12 }],
  [
    "temperature_90d_c is 41.2; P5 to P95 of the training fleet is 20 to 33.5",
    { kind: "unlikeFleet", inputs: [{ feature: "temperature_90d_c", value: 41.2, low: 20, high: 33.5 }] },
  ],
])("reads %j", (sentence, read) => {
  expect(readSentence(sentence)).toEqual(read);
});

it("reads every input of a battery unlike the fleet", () => {
  const read = readSentence(
    "unlike the training fleet: a is 1; P5 to P95 of the training fleet is 2 to 3; b is -4e+02; P5 to P95 of the training fleet is 5 to 6",
  );
  expect(read).toEqual({
    kind: "unlikeFleet",
    inputs: [
      { feature: "a", value: 1, low: 2, high: 3 },
      { feature: "b", value: -400, low: 5, high: 6 },
    ],
  });
});

it("leaves a sentence that it does not know as it is", () => {
  expect(readSentence("something new")).toBeNull();
});

it.each([
  ["age_of_design_life", 0.52, { number: "52", unit: "ofDesignLife" }],
  ["float_voltage_90d_v", 13.618, { number: "13.62", unit: "V" }],
  ["voltage_deviation_90d_mv", -0.2, { number: "0", unit: "mV" }],
] as const)("shows %s in its unit", (feature, value, shown) => {
  expect(onScreen(value, feature)).toEqual(shown);
});

it("knows no feature by the names of objects", () => {
  expect(isFeature("toString")).toBe(false);
  expect(isFeature("peer_deviation_sd")).toBe(true);
});
