import clsx from "clsx";
import { Ban, CircleCheck, Info, OctagonX, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

import type { HealthStatus, Severity } from "@/api/types";

/** Shape, colour and text together: never colour alone. */
const looks = {
  normal: { Icon: CircleCheck, tone: "text-ok-text" },
  warning: { Icon: TriangleAlert, tone: "text-warning-text" },
  critical: { Icon: OctagonX, tone: "text-critical-text" },
  no_data: { Icon: Ban, tone: "text-muted" },
  info: { Icon: Info, tone: "text-accent" },
} as const;

export function StatusIcon({ status, size = 16 }: { status: HealthStatus | Severity; size?: number }) {
  const { Icon, tone } = looks[status];
  return <Icon aria-hidden size={size} className={clsx("shrink-0", tone)} />;
}

export function StatusLabel({ status }: { status: HealthStatus }) {
  const { t } = useTranslation();
  return (
    <span
      className={clsx("inline-flex items-center gap-1 font-medium", looks[status].tone)}
      title={status === "normal" ? t("status.normalHint") : undefined}
    >
      <StatusIcon status={status} />
      {t(`status.${status}`)}
    </span>
  );
}

export function SeverityLabel({ severity }: { severity: Severity }) {
  const { t } = useTranslation();
  return (
    <span className={clsx("inline-flex items-center gap-1 font-medium", looks[severity].tone)}>
      <StatusIcon status={severity} />
      {t(`severity.${severity}`)}
    </span>
  );
}

const order = ["critical", "no_data", "warning", "normal"] as const;

/** How many batteries are in which state; states without any stay quiet. */
export function StatusCounts({ counts, named = false }: { counts: Record<HealthStatus, number>; named?: boolean }) {
  const { t } = useTranslation();
  return (
    <span className="flex flex-wrap gap-x-3">
      {order.map((status) => (
        <span
          key={status}
          className={clsx("inline-flex items-center gap-1", counts[status] === 0 && "text-muted [&>svg]:opacity-50")}
          title={t(`status.${status}`)}
        >
          <StatusIcon status={status} size={14} />
          {counts[status]} <span className={named ? "" : "sr-only"}>{t(`status.${status}`)}</span>
        </span>
      ))}
    </span>
  );
}
