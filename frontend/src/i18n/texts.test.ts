import i18next from "i18next";
import { expect, it } from "vitest";

import "./alarm-load-texts";
import "./alert-texts";
import "./incident-texts";
import "./rule-texts";
import "./silence-texts";

import { en } from "./en";
import { alarmLoadTexts } from "./en-alarm-load";
import { alertTexts } from "./en-alerts";
import { incidentTexts } from "./en-incidents";
import { ruleTexts } from "./en-rules";
import { silenceTexts } from "./en-silences";
import { th } from "./th";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : flat(value, `${path}${key}.`),
  );
}

const english = new Map(
  flat({ ...en, ...alertTexts, ...incidentTexts, ...ruleTexts, ...silenceTexts, ...alarmLoadTexts }),
);
const thai = new Map(flat(th));
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)(?:, \w+)?\}\}/g)].map(([, name]) => name).sort();

it("has the same keys in both languages", () => {
  expect([...thai.keys()].sort()).toEqual([...english.keys()].sort());
});

it.each([...english])("%s takes the same values in both languages", (key, text) => {
  expect(placeholders(thai.get(key) ?? "")).toEqual(placeholders(text));
});

it("calls no battery healthy", () => {
  for (const text of english.values()) expect(text).not.toMatch(/\bhealthy\b/i);
});

it("has plural forms in pairs", () => {
  const stems = (suffix: string) =>
    [...english.keys()].filter((key) => key.endsWith(suffix)).map((key) => key.slice(0, -suffix.length));
  expect(stems("_one").sort()).toEqual(stems("_other").sort());
});

it.each([
  [1, "1 data centre", "1 of 1,944 batteries has an estimate"],
  [9, "9 data centres", "9 of 1,944 batteries have an estimate"],
  [1341, "1,341 data centres", "1,341 of 1,944 batteries have an estimate"],
])("counts %d in correct English", (count, locations, estimates) => {
  expect(i18next.t("fleet.locations", { count })).toBe(locations);
  expect(i18next.t("fleet.sohOf", { count, of: 1944 })).toBe(estimates);
});

const sources = import.meta.glob<string>(["/src/**/*.{ts,tsx}", "!/src/**/*.test.*", "!/src/i18n/{en,th}.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const code = Object.values(sources).join("\n");

it.each([...english.keys()])("%s is used", (key) => {
  const name = key.replace(/_(one|other)$/, "");
  const parent = name.slice(0, name.lastIndexOf(".") + 1);
  expect(code.includes(`"${name}"`) || code.includes(`\`${parent}\${`)).toBe(true);
});
