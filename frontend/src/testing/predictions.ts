/** Answers of the endpoints of remaining life for mock batteries: fused ones, conflicts, one source alone, withheld. */
import type { components } from "../api/schema.gen.ts";
import type { MockBattery, MockFleet } from "./fleet.ts";

type Schemas = components["schemas"];

const DAY_MS = 86_400_000;
const YEAR_DAYS = 365;
const LAST_YEAR = 10;
/** Days for which the lives of the training were followed. */
const FOLLOWED_DAYS = 3000;
export const MODEL_VERSION = "20261120T031500-4f1c09ab";

export const noDays = (reason: string): Schemas["RulDays"] => ({
  p10_days: null,
  p50_days: null,
  p90_days: null,
  longer_than_days: null,
  withheld_reason: reason,
});

export const daysOf = (
  p10: number,
  p50: number,
  p90: number,
  longerThan: number | null = null,
): Schemas["RulDays"] => ({
  p10_days: p10,
  p50_days: p50,
  p90_days: p90,
  longer_than_days: longerThan,
  withheld_reason: null,
});

const reasons: Schemas["Reason"][] = [
  {
    feature: "resistance_over_baseline_pct",
    effect_days: -210,
    value: 23.1,
    fleet_norm: 8.2,
    sentence: "its resistance has risen 15 percentage points more above its baseline than the fleet median",
  },
  {
    feature: "temperature_365d_c",
    effect_days: 90,
    value: 23.4,
    fleet_norm: 25.1,
    sentence: "was 1.7 °C cooler than the fleet median in the last year",
  },
];

/** Every eighth of a string is withheld, every tenth a conflict, every sixth has no model. */
export function rulEntryOf(
  { position, neverReported = false }: Pick<MockBattery, "position"> & { neverReported?: boolean },
  now: number,
  daysAgo = 0,
): Schemas["RulEntry"] {
  const asOf = Math.floor((now - daysAgo * DAY_MS) / DAY_MS) * DAY_MS - 7 * 3_600_000;
  const base = {
    predicted_at: new Date(asOf + 3_700_000).toISOString(),
    as_of: new Date(asOf).toISOString(),
    difference_pct: null,
    twin_weight: null,
    is_conflict: false,
    conflict_advice: null,
    confidence: null,
    widened_because: [],
    peer_deviation: null,
    peer_deviation_of: null,
  };
  if (neverReported || position % 8 === 7) {
    const none = noDays(neverReported ? "no_history" : "sensor_fault");
    const rest = { reasons: [], model_version: MODEL_VERSION, twin_provenance: null };
    return { ...base, ...rest, source: "none", fused: none, twin: none, ml: none };
  }
  const median = 60 + 190 * position + daysAgo;
  const twin = daysOf(0.7 * median, median, 1.4 * median);
  if (position % 6 === 5) {
    const rest = { reasons: [], model_version: null, twin_provenance: "ohmic_inferred" as const };
    return { ...base, ...rest, source: "twin", fused: twin, twin, ml: noDays("no_champion") };
  }
  const isConflict = position % 10 === 3;
  const modelMedian = isConflict ? 0.5 * median : 0.96 * median;
  const high = 1.3 * modelMedian;
  const longer = high >= FOLLOWED_DAYS ? FOLLOWED_DAYS : null;
  return {
    ...base,
    source: "fused",
    twin,
    ml: daysOf(0.6 * modelMedian, modelMedian, Math.min(high, FOLLOWED_DAYS), longer),
    fused: daysOf(0.6 * modelMedian, (median + modelMedian) / 2, 1.4 * median, longer),
    twin_weight: 0.495,
    is_conflict: isConflict,
    difference_pct: isConflict ? 50 : 4,
    conflict_advice: isConflict ? "partial_discharge_test" : null,
    confidence: 0.64,
    widened_because: isConflict ? ["12% of the model's inputs are unknown"] : [],
    reasons,
    peer_deviation: 2.14,
    peer_deviation_of: "resistance",
    model_version: MODEL_VERSION,
    twin_provenance: "discharge_inferred",
  };
}

export function batteryRulOf(battery: MockBattery, now: number): Schemas["BatteryRul"] {
  const items = Array.from({ length: 30 }, (_, daysAgo) => rulEntryOf(battery, now, daysAgo));
  return {
    battery_id: battery.battery_id,
    latest: items[0] ?? null,
    missing_reason: battery.retirement === undefined ? null : "retired",
    items,
    total: items.length,
    skip: 0,
    limit: 366,
  };
}

export function predictionItemOf(battery: MockBattery, now: number): Schemas["PredictionItem"] {
  const entry = rulEntryOf(battery, now);
  const { withheld_reason, ...days } = entry.fused;
  return {
    battery_id: battery.battery_id,
    string_id: battery.string_id,
    location_id: battery.location_id,
    predicted_at: entry.predicted_at,
    as_of: entry.as_of,
    ...days,
    source: entry.source,
    is_conflict: entry.is_conflict,
    withheld_reason,
    main_reason: entry.reasons[0] ?? null,
    model_version: entry.model_version,
  };
}

const leftOf = (item: Schemas["PredictionItem"], now: number): number | null =>
  item.p10_days === null || item.as_of === null ? null : item.p10_days - (now - Date.parse(item.as_of)) / DAY_MS;

/** Filtered and sorted as the gateway does; those without the value come last. */
export function selectPredictions(fleet: MockFleet, params: URLSearchParams, now: number): Schemas["PredictionItem"][] {
  const is = (name: string, value: string) => params.get(name) === null || params.get(name) === value;
  const due = params.get("due_within_days");
  const items = fleet
    .batteriesOf(params.get("location_id") ?? undefined)
    .filter((battery) => battery.retirement === undefined)
    .map((battery) => predictionItemOf(battery, now))
    .filter((item) => is("source", item.source) && is("is_conflict", String(item.is_conflict)))
    .filter((item) => due === null || (leftOf(item, now) ?? Number.POSITIVE_INFINITY) <= Number(due));
  const key = (params.get("sort") ?? "p10_days") as "p10_days" | "p50_days" | "battery_id";
  const sign = params.get("order") === "desc" ? -1 : 1;
  return items.sort((a, b) => {
    const [left, right] = [a[key], b[key]];
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    return sign * (typeof left === "string" ? left.localeCompare(String(right)) : left - Number(right));
  });
}

export function predictionSummaryOf(fleet: MockFleet, now: number): Schemas["PredictionSummary"] {
  const items = selectPredictions(fleet, new URLSearchParams(), now);
  const predicted = items.filter((item) => item.p50_days !== null);
  const due = (some: typeof items, days: number) =>
    some.filter((item) => (leftOf(item, now) ?? Number.POSITIVE_INFINITY) <= days).length;
  return {
    predicted_at: items[0]?.predicted_at ?? null,
    total: items.length,
    predicted: predicted.length,
    withheld: items.length - predicted.length,
    due_within_90_days: due(items, 90),
    due_within_180_days: due(items, 180),
    histogram: Array.from({ length: LAST_YEAR + 1 }, (_, year) => ({
      from_days: year * YEAR_DAYS,
      to_days: year === LAST_YEAR ? null : (year + 1) * YEAR_DAYS,
      count: predicted.filter(({ p50_days: p50 }) => Math.min(Math.floor((p50 ?? 0) / YEAR_DAYS), LAST_YEAR) === year)
        .length,
    })),
    locations: fleet.locationIds().map((id) => {
      const own = items.filter((item) => item.location_id === id);
      const known = own.flatMap((item) => leftOf(item, now) ?? []);
      return {
        location_id: id,
        total: own.length,
        predicted: known.length,
        withheld: own.length - known.length,
        due_within_90_days: due(own, 90),
        shortest_p10_days: known.length === 0 ? null : Math.max(0, Math.min(...known)),
      };
    }),
    state: "ready",
    run: runOf(now),
    model_version: MODEL_VERSION,
  };
}

export function runOf(now: number, change: Partial<Schemas["RunOut"]> = {}): Schemas["RunOut"] {
  return {
    run_id: 17,
    trigger: "schedule",
    requested_by: null,
    as_of: new Date(now - DAY_MS / 2).toISOString(),
    started_at: new Date(now - 3_600_000).toISOString(),
    finished_at: new Date(now - 3_400_000).toISOString(),
    state: "succeeded",
    step: null,
    done: 1944,
    total: 1944,
    error: null,
    ...change,
  };
}

export const models: Schemas["ModelSummary"][] = [
  {
    version: "20261127T031500-77aa01cd",
    aliases: [],
    created_at: "2026-11-27T03:15:00Z",
    metrics: { mae_days: 171, coverage_p10_p90: 0.82, median_days: 900 },
    fault: null,
  },
  {
    version: MODEL_VERSION,
    aliases: ["champion"],
    created_at: "2026-11-20T03:15:00Z",
    metrics: { mae_days: 184, coverage_p10_p90: 0.81 },
    fault: null,
  },
  { version: "20261101T000000-broken00", aliases: [], created_at: null, metrics: {}, fault: "model.json is missing" },
];
