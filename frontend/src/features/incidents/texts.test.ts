import "@/i18n/incident-texts";

import i18next from "i18next";
import { expect, it } from "vitest";

import type { IncidentEntry } from "@/api/types";
import { endInstant } from "@/lib/end-choices";

import { actorOf, entryText } from "./entry-text";
import { filterOf, isFiltered } from "./filters";
import { LONGEST_SNOOZE_MS } from "./snooze-field";

const entry = (change: Partial<IncidentEntry>): IncidentEntry => ({
  event_id: 1,
  at: "2026-11-23T07:02:00Z",
  kind: "comment",
  actor: null,
  note: null,
  data: {},
  ...change,
});

it.each<[Partial<IncidentEntry>, string, string]>([
  [
    { kind: "opened", data: { severity: "critical", alert_count: 24 } },
    "Opened as Critical with 24 alerts",
    "เกิดขึ้น ระดับวิกฤต มีการแจ้งเตือน 24 รายการ",
  ],
  [{ kind: "joined", data: { count: 1 } }, "1 more alert joined", "มีการแจ้งเตือนเพิ่ม 1 รายการ"],
  [
    { kind: "escalated", data: { severity_before: "warning", severity: "critical" } },
    "Got worse: from Warning to Critical",
    "รุนแรงขึ้น: จากเตือนเป็นวิกฤต",
  ],
  [{ kind: "reopened", data: { cleared_at: "x" } }, "Came back", "กลับมาอีก"],
  [
    { kind: "reopened", data: { resolved_at: "x" } },
    "Came back: a condition outlasted the resolution",
    "กลับมาอีก: อาการยังอยู่หลังปิดเรื่อง",
  ],
  [
    { kind: "merged", data: { merged_into: 7 } },
    "Became part of incident 7, which explains it",
    "รวมเข้ากับเหตุการณ์ 7 ซึ่งเป็นสาเหตุ",
  ],
  [
    { kind: "absorbed", data: { incident_ids: [8, 9] } },
    "Took in incidents 8, 9, which it explains",
    "รวมเหตุการณ์ 8, 9 เข้ามา เพราะมีสาเหตุเดียวกัน",
  ],
  [{ kind: "assigned", data: { assignee: null } }, "No longer assigned", "ยกเลิกการมอบหมาย"],
  [{ kind: "snooze_ended" }, "Snooze was over", "ครบเวลาที่เลื่อน"],
  [{ kind: "snooze_ended", actor: "malee" }, "Snooze ended", "ยกเลิกการเลื่อน"],
])("says what an entry of the timeline means: %o", async (change, english, thai) => {
  expect(entryText(entry(change), { t: i18next.t, language: "en" })).toBe(english);
  await i18next.changeLanguage("th");
  expect(entryText(entry(change), { t: i18next.t, language: "th" })).toBe(thai);
});

it("names who acted on single alerts", () => {
  expect(actorOf(entry({ kind: "acknowledged", data: { actor: "malee" } }))).toBe("malee");
  expect(actorOf(entry({ kind: "cleared" }))).toBeNull();
});

it("reads a filter from the address, and leaves out what it does not know", () => {
  const read = (search: string) => filterOf(new URLSearchParams(search), "somchai");
  expect(read("")).toEqual({ status: ["open", "cleared"] });
  expect(read("status=hand&assignee=:me&q=%20kkn")).toEqual({
    status: ["acknowledged", "snoozed"],
    assignee: "somchai",
    search: "kkn",
  });
  expect(read("status=all&type=nonsense&severity=bad&assignee=:nobody")).toEqual({ unassigned: true });
  expect(read("status=all&from=2026-11-01&to=2026-11-02")).toEqual({
    start: "2026-10-31T17:00:00.000Z",
    end: "2026-11-02T17:00:00.000Z",
  });
  expect(isFiltered(new URLSearchParams("alert=7"))).toBe(false);
  expect(isFiltered(new URLSearchParams("q=kkn"))).toBe(true);
});

it("ends a snooze by Bangkok's clock, within a week", () => {
  const now = Date.parse("2026-11-23T18:30:00Z");
  expect(endInstant("1h", "", now, LONGEST_SNOOZE_MS)).toBe("2026-11-23T19:30:00.000Z");
  expect(endInstant("tomorrow", "", now, LONGEST_SNOOZE_MS)).toBe("2026-11-25T01:00:00.000Z");
  expect(endInstant("other", "2026-11-24T02:00", now, LONGEST_SNOOZE_MS)).toBe("2026-11-23T19:00:00.000Z");
  for (const other of ["", "2026-11-24T01:00", "2026-12-02T00:00"])
    expect(endInstant("other", other, now, LONGEST_SNOOZE_MS)).toBeNull();
});
