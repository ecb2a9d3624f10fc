import clsx from "clsx";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { problemOf } from "@/api/errors";
import { useSession } from "@/api/session";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";
import { problemText, useLanguage } from "@/i18n";
import { formatAge, formatDateTime } from "@/lib/dates";

import { Evidence } from "./evidence";
import { HiddenAlerts } from "./hidden-alerts";
import type { QuietSpan } from "./quiet-spans";
import { type Change, useChange } from "./use-change";

/** One silence or window: what it covers, why, until when, what it hid, and the ways to end or approve it. */
export function SpanCard({ quiet, mayAct }: { quiet: QuietSpan; mayAct: boolean }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const [isOpen, setOpen] = useState(false);
  const { kind, span } = quiet;
  const at = (instant: string) => formatDateTime(instant, language);
  return (
    <li
      className={clsx("rounded-lg border border-border bg-surface p-3", span.state === "ended" && "text-muted")}
      data-testid={`span-${kind}-${quiet.id}`}
    >
      <p className="flex flex-wrap items-baseline gap-x-3">
        <span className="font-medium">{t(`silences.kind.${kind}`)}</span>
        <span>
          {t(`silences.scope.${span.scope}`)} {span.scope_id}
        </span>
        <span className={clsx("ml-auto", span.state === "active" && "font-semibold text-warning-text")}>
          {t(`silences.state.${span.state}`)}
          {span.state === "active" &&
            ` · ${t("silences.left", { duration: formatAge(Date.parse(span.ends_at) - Date.now(), language) })}`}
        </span>
      </p>
      <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 [overflow-wrap:anywhere]">
        <dt className="text-muted">{t("silences.covers")}</dt>
        <dd>
          <Coverage quiet={quiet} />
        </dd>
        <dt className="text-muted">{t("silences.from")}</dt>
        <dd>{at(span.starts_at)}</dd>
        <dt className="text-muted">{t("silences.until")}</dt>
        <dd>
          {quiet.kind === "test"
            ? t("silences.planned", { at: at(quiet.span.planned_ends_at), latest: at(span.ends_at) })
            : at(span.ends_at)}
        </dd>
        <dt className="text-muted">{t("silences.reason")}</dt>
        <dd className="whitespace-pre-wrap">{span.reason}</dd>
      </dl>
      <p className="mt-1 text-xs text-muted">
        {t("silences.by", { who: span.created_by, at: at(span.created_at) })}
        {span.ended_at !== null &&
          ` · ${
            span.ended_by === null
              ? t("silences.endedAt", { at: at(span.ended_at) })
              : t("silences.endedBy", { who: span.ended_by, at: at(span.ended_at) })
          }`}
      </p>
      {kind === "test" && <Evidence windowId={quiet.id} />}
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <span>{t("silences.hidden", { count: span.hidden_count })}</span>
        {span.hidden_count > 0 && (
          <Button tone="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {t(isOpen ? "silences.hideHidden" : "silences.showHidden")}
          </Button>
        )}
        {mayAct && span.state !== "ended" && <Actions quiet={quiet} />}
      </div>
      {isOpen && <HiddenAlerts isWindow={kind !== "silence"} id={quiet.id} />}
    </li>
  );
}

function Coverage({ quiet }: { quiet: QuietSpan }) {
  const { t } = useTranslation();
  const language = useLanguage();
  if (quiet.kind !== "silence") return t(quiet.kind === "test" ? "silences.testOnly" : "silences.everything");
  const { types, covers_safety: coversSafety, approved_at: approvedAt, approved_by: approvedBy } = quiet.span;
  return (
    <>
      {types === null
        ? t(approvedAt === null ? "silences.everything" : "silences.all")
        : types.map((type) => t(`type.${type}`)).join(", ")}
      {types !== null && !coversSafety && <span className="block text-muted">{t("silences.notSafety")}</span>}
      {coversSafety && (
        <span className="block text-warning-text">
          {approvedAt === null
            ? t("silences.safetyPending")
            : t("silences.safetyApproved", { who: approvedBy ?? "–", at: formatDateTime(approvedAt, language) })}
        </span>
      )}
    </>
  );
}

function Actions({ quiet }: { quiet: QuietSpan }) {
  const { t } = useTranslation();
  const username = useSession((state) => state.user?.username ?? null);
  const [asking, setAsking] = useState<"end" | "approve" | null>(null);
  const waits = quiet.kind === "silence" && quiet.span.covers_safety && quiet.span.approved_at === null;
  const isOwn = quiet.span.created_by === username;
  return (
    <>
      <Button onClick={() => setAsking("end")}>
        {t(quiet.span.state === "upcoming" ? "silences.cancel" : "silences.end")}
      </Button>
      {waits && !isOwn && <Button onClick={() => setAsking("approve")}>{t("silences.approve")}</Button>}
      {waits && isOwn && <span className="text-muted">{t("silences.ownApproval")}</span>}
      {asking !== null && <Confirmation quiet={quiet} kind={asking} onClose={() => setAsking(null)} />}
    </>
  );
}

interface ConfirmationProps {
  quiet: QuietSpan;
  kind: "end" | "approve";
  onClose: () => void;
}

function Confirmation({ quiet, kind, onClose }: ConfirmationProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const change = useChange();
  const { scope_id: scope, ends_at: endsAt } = quiet.span;
  const wanted: Change = kind === "end" ? { kind, of: quiet } : { kind, id: quiet.id };
  const send = () =>
    change.mutate(wanted, {
      onSuccess: () => {
        toast.success(t(kind === "end" ? "silences.ended" : "silences.approved"));
        onClose();
      },
    });
  return (
    <Dialog
      open
      onOpenChange={(isOpen) => !isOpen && !change.isPending && onClose()}
      title={t(kind === "end" ? "silences.endTitle" : "silences.approveTitle")}
      className="top-16 w-[min(28rem,calc(100vw-2rem))] p-4"
    >
      <p>
        {kind === "end"
          ? t("silences.endHint")
          : t("silences.approveHint", { scope, at: formatDateTime(endsAt, language) })}
      </p>
      {change.isError && (
        <p role="alert" className="mt-2 text-critical-text">
          {problemText(problemOf(change.error))}
        </p>
      )}
      <div className="mt-3 flex justify-end gap-2">
        <DialogClose>
          <Button disabled={change.isPending}>{t("common.cancel")}</Button>
        </DialogClose>
        <Button tone="primary" disabled={change.isPending} onClick={send}>
          {t(kind === "end" ? "silences.end" : "silences.approve")}
        </Button>
      </div>
    </Dialog>
  );
}
