import clsx from "clsx";
import { useTranslation } from "react-i18next";

import type { RulEntry } from "@/api/types";
import { useRangeText } from "@/components/remaining-life/end-text";
import { useWhyText } from "@/components/remaining-life/withheld-text";
import { useLanguage } from "@/i18n";
import { calendarTicks } from "@/lib/calendar";
import { endOf, isLonger, type KnownDays, knownDays } from "@/lib/remaining-life";
import { useNow } from "@/realtime/hooks";

const sources = ["fused", "twin", "ml"] as const;
type Source = (typeof sources)[number];

const colours: Record<Source, string> = {
  fused: "var(--accent)",
  twin: "var(--series-3)",
  ml: "var(--series-2)",
};
const TICKS = 5;

/** Three bands over the calendar, so that a disagreement is seen; the texts beside them say the same. */
export function RulFan({ entry }: { entry: RulEntry }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const now = useNow(60_000);
  const scale = scaleOf(entry, now);
  return (
    <figure className="min-w-0">
      <figcaption className="font-medium">{t("rul.fan")}</figcaption>
      <p className="text-xs text-muted">{t("rul.fanHint")}</p>
      <ul className="relative mt-2 space-y-2 pb-1" data-testid="rul-fan">
        {sources.map((source) => (
          <li key={source}>
            <RowText source={source} entry={entry} now={now} />
            <Track source={source} entry={entry} scale={scale} now={now} />
          </li>
        ))}
      </ul>
      {scale !== null && (
        <div aria-hidden className="relative h-10 border-t border-border-strong text-xs text-muted">
          {calendarTicks(scale.from, scale.to, TICKS, language).map(({ at, label }) => (
            <span
              key={at}
              className="absolute top-0 -translate-x-1/2 border-border-strong pt-1 whitespace-nowrap"
              style={{ left: `${clamped(scale.part(at), 4, 96)}%` }}
            >
              {label}
            </span>
          ))}
          <span
            className="absolute top-5 font-medium whitespace-nowrap text-text"
            style={{ left: `${scale.part(now)}%` }}
          >
            ↑ {t("rul.today")}
          </span>
        </div>
      )}
    </figure>
  );
}

interface Scale {
  from: number;
  to: number;
  /** Percent of the width at which an instant lies. */
  part: (at: number) => number;
}

/** From today or the first end on, whichever is earlier, to the last end; null where no source has days. */
function scaleOf(entry: RulEntry, now: number): Scale | null {
  const known = sources.map((source) => knownDays(entry[source])).filter((days) => days !== null);
  if (known.length === 0) return null;
  const from = Math.min(now, ...known.map(({ p10 }) => endOf(entry.as_of, p10)));
  const last = Math.max(...known.map(({ p90 }) => endOf(entry.as_of, p90)), now);
  const to = from + (last - from) * 1.04 + 1;
  return { from, to, part: (at) => (100 * (at - from)) / (to - from) };
}

function clamped(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

interface RowProps {
  source: Source;
  entry: RulEntry;
  now: number;
}

function RowText({ source, entry, now }: RowProps) {
  const { t } = useTranslation();
  const rangeText = useRangeText();
  const whyText = useWhyText();
  const days = knownDays(entry[source]);
  return (
    <p className="flex flex-wrap items-baseline gap-x-2">
      <span className={source === "fused" ? "font-semibold" : "font-medium"}>{t(`rul.sourceName.${source}`)}</span>
      <span className="min-w-0 text-xs break-words text-muted">
        {days === null
          ? `${t("rul.none")}: ${whyText(entry[source].withheld_reason ?? "not_predicted_yet")}`
          : rangeText(days, entry.as_of, now)}
      </span>
    </p>
  );
}

function Track({ source, entry, scale, now }: RowProps & { scale: Scale | null }) {
  const days = knownDays(entry[source]);
  return (
    <div
      aria-hidden
      className={clsx(
        "relative overflow-hidden rounded-sm",
        source === "fused" ? "h-5" : "h-3.5",
        days === null || scale === null ? "hatched border border-border-strong" : "bg-surface-2",
      )}
    >
      {days !== null && scale !== null && (
        <Band days={days} asOf={entry.as_of} colour={colours[source]} scale={scale} />
      )}
      {scale !== null && (
        <span
          className="absolute inset-y-0 border-l border-dashed border-text"
          style={{ left: `${scale.part(now)}%` }}
        />
      )}
    </div>
  );
}

function Band({ days, asOf, colour, scale }: { days: KnownDays; asOf: string; colour: string; scale: Scale }) {
  const at = (value: number) => scale.part(endOf(asOf, value));
  const isOpen = isLonger(days.p90, days.longerThan);
  return (
    <>
      <span
        data-band
        className={clsx("absolute inset-y-0", isOpen ? "rounded-l-sm border-y border-l" : "rounded-sm border")}
        style={{
          left: `${at(days.p10)}%`,
          // An open band runs to the end of the scale: nobody knows where it ends.
          width: `${Math.max(0.8, (isOpen ? 100 : at(days.p90)) - at(days.p10))}%`,
          borderColor: colour,
          background: `color-mix(in srgb, ${colour} 35%, transparent)`,
        }}
      />
      {isOpen && <span className="absolute inset-y-0 right-1 text-xs leading-none font-bold">→</span>}
      {!isLonger(days.p50, days.longerThan) && (
        <span
          data-median
          className="absolute inset-y-0 w-[3px] -translate-x-1/2"
          style={{ left: `${at(days.p50)}%`, background: colour }}
        />
      )}
    </>
  );
}
