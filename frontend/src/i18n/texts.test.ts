import { expect, it } from "vitest";

import { en } from "./en";
import { th } from "./th";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : flat(value, `${path}${key}.`),
  );
}

const english = new Map(flat(en));
const thai = new Map(flat(th));
const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();

it("has the same keys in both languages", () => {
  expect([...thai.keys()].sort()).toEqual([...english.keys()].sort());
});

it.each([...english])("%s takes the same values in both languages", (key, text) => {
  expect(placeholders(thai.get(key) ?? "")).toEqual(placeholders(text));
});

it("calls no battery healthy", () => {
  for (const text of english.values()) expect(text).not.toMatch(/\bhealthy\b/i);
});
