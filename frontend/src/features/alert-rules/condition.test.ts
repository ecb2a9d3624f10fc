import i18next from "i18next";
import { expect, it } from "vitest";

import type { AlertRule } from "@/api/types";
import "@/i18n/rule-texts";
import { alertRules } from "@/testing/rules";

import { conditionText } from "./condition";
import { resolve, type Values } from "./effective";
import { durationText, limitText } from "./figures";

function need(ruleId: string): AlertRule {
  const rule = alertRules.find((candidate) => candidate.rule_id === ruleId);
  if (rule === undefined) throw new Error(ruleId);
  return rule;
}

async function text(ruleId: string, language: "en" | "th", change: Partial<Values> = {}): Promise<string> {
  await i18next.changeLanguage(language);
  const rule = need(ruleId);
  return conditionText(rule, { ...resolve(rule, []).values, ...change }, i18next.t);
}

it.each([
  [
    "voltage_low.float",
    "Voltage below 13.00 V for 30 min on float (not during ohmic tests); clears at 13.20 V or above after 10 min",
    "แรงดัน ต่ำกว่า 13.00 V ต่อเนื่อง 30 นาที ขณะโฟลต (ยกเว้นช่วงวัดความต้านทาน) · กลับสู่ปกติเมื่อไม่ต่ำกว่า 13.20 V ต่อเนื่อง 10 นาที",
  ],
  [
    "temperature_high.danger",
    "Temperature above 60.0 °C; clears at 55.0 °C or below after 5 min",
    "อุณหภูมิ สูงกว่า 60.0 °C · กลับสู่ปกติเมื่อไม่เกิน 55.0 °C ต่อเนื่อง 5 นาที",
  ],
  [
    "sensor_fault.voltage_flat",
    "Voltage unchanged for more than 1 h; clears when it is over",
    "แรงดันค้าง นานกว่า 1 ชม. · กลับสู่ปกติเมื่อเหตุสิ้นสุด",
  ],
  [
    "grid_instability.info",
    "Mains losses within 24 h ≥ 3; clears at 1 or below after 5 min",
    "ไฟฟ้าดับใน 24 ชม. ตั้งแต่ 3 ครั้งขึ้นไป · กลับสู่ปกติเมื่อไม่เกิน 1 ต่อเนื่อง 5 นาที",
  ],
  [
    "hvac_failure.failed",
    "Air conditioning failed or off for 5 min; clears when it has been over for 5 min",
    "เครื่องปรับอากาศขัดข้องหรือปิดอยู่ ต่อเนื่อง 5 นาที · กลับสู่ปกติเมื่อเหตุสิ้นสุดแล้ว 5 นาที",
  ],
  [
    "data_stale.battery",
    "No reading from the battery for more than 5 min; clears when it is over",
    "ไม่มีข้อมูลจากแบตเตอรี่ นานกว่า 5 นาที · กลับสู่ปกติเมื่อเหตุสิ้นสุด",
  ],
  [
    "rul_warning.p10",
    "Remaining life (P10) below 180 days; clears at 198 days or above",
    "อายุการใช้งานคงเหลือ (P10) ต่ำกว่า 180 วัน · กลับสู่ปกติเมื่อไม่ต่ำกว่า 198 วัน",
  ],
])("puts %s in words", async (ruleId, english, thai) => {
  expect(await text(ruleId, "en")).toBe(english);
  expect(await text(ruleId, "th")).toBe(thai);
});

it("names the state that a limit of a reported state stands for", async () => {
  expect(await text("hvac_failure.failed", "en", { raise_value: 0.5 })).toMatch(
    /^Air conditioning degraded, failed or off/,
  );
  expect(await text("hvac_failure.failed", "en", { raise_value: 2 })).toMatch(/never raises/);
});

it("shows a limit as exactly as it is set", () => {
  expect(limitText(12.875, "V", i18next.t)).toBe("12.875 V");
  expect(limitText(2.5, "A", i18next.t)).toBe("2.5 A");
  expect(limitText(-0.8, "V", i18next.t)).toBe("-0.80 V");
  expect(limitText(-0, "V", i18next.t)).toBe("0.00 V");
});

it("never rounds a duration", () => {
  expect(durationText(5400, i18next.t)).toBe("1 h 30 min");
  expect(durationText(86_400, i18next.t)).toBe("24 h");
  expect(durationText(259_200, i18next.t)).toBe("3 d");
  expect(durationText(90, i18next.t)).toBe("1 min 30 s");
  expect(durationText(0.5, i18next.t)).toBe("0.5 s");
  expect(durationText(0, i18next.t)).toBe("0 s");
});
