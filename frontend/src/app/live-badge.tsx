import clsx from "clsx";
import { Radio, WifiOff } from "lucide-react";
import { useTranslation } from "react-i18next";

import { useLanguage } from "@/i18n";
import { formatAge, formatClock } from "@/lib/dates";
import { useConnection } from "@/realtime/connection";
import { useLastUpdateAt, useNow } from "@/realtime/hooks";

/** Longer than this without any update is a delay: the feed changes a value every second. */
const DELAYED_AFTER_MS = 15_000;

export function LiveBadge() {
  const { t } = useTranslation();
  const language = useLanguage();
  const { phase, since } = useConnection();
  const now = useNow();
  const last = useLastUpdateAt();
  // Before the first update the time counts from the connection.
  const age = now - (last ?? since ?? now);
  const delayed = phase === "connected" && age > DELAYED_AFTER_MS;
  let text: string;
  if (phase === "disconnected") text = t("live.disconnected", { since: formatClock(since ?? now, language) });
  else if (phase === "connecting" || (last === null && !delayed)) text = t("live.connecting");
  else
    text = delayed
      ? t(last === null ? "live.waiting" : "live.delayed", { age: formatAge(age, language) })
      : `${t("live.live")} · ${formatAge(age, language)}`;
  return (
    <span
      data-testid="live-badge"
      className={clsx(
        "inline-flex items-center gap-1.5 rounded-full border px-2.5 py-0.5 text-xs font-medium whitespace-nowrap",
        phase === "disconnected"
          ? "border-critical-fill text-critical-text"
          : delayed
            ? "border-warning-fill text-warning-text"
            : "border-border text-muted",
      )}
    >
      {phase === "disconnected" ? <WifiOff size={13} aria-hidden /> : <Radio size={13} aria-hidden />}
      {text}
    </span>
  );
}

export function OfflineBanner() {
  const { t } = useTranslation();
  const language = useLanguage();
  const { phase, since } = useConnection();
  const now = useNow();
  // A reconnect within a few seconds needs no banner.
  if (phase !== "disconnected" || since === null || now - since < 4000) return null;
  return (
    <p role="alert" className="border-b border-critical-fill bg-surface-2 px-4 py-2 font-medium text-critical-text">
      {t("live.banner", { since: formatClock(since, language, true) })}
    </p>
  );
}
