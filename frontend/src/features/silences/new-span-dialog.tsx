import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { problemOf } from "@/api/errors";
import { Button } from "@/components/ui/button";
import { Choice } from "@/components/ui/choice";
import { Dialog, DialogClose } from "@/components/ui/dialog";
import { problemText } from "@/i18n";

import { type Draft, draftOf, silenceOf, windowOf } from "./new-span";
import { scopes } from "./quiet-spans";
import { SpanFields } from "./span-fields";
import { TypeFields } from "./type-fields";
import { type Change, useChange } from "./use-change";

const examples = {
  string: "DC-CNX-01-UPS-01-STR-01",
  system: "DC-CNX-01-UPS-01",
  location: "DC-CNX-01",
  tag: "row-a",
} as const;

interface NewSpanDialogProps {
  kind: "silence" | "window";
  preset: URLSearchParams;
  onClose: () => void;
}

/** Asks for a silence or a window; what the gateway refuses is said here, and nothing that was typed is lost. */
export function NewSpanDialog({ kind, preset, onClose }: NewSpanDialogProps) {
  const { t } = useTranslation();
  const change = useChange();
  return (
    <Dialog
      open
      onOpenChange={(isOpen) => !isOpen && !change.isPending && onClose()}
      title={t(kind === "silence" ? "silences.newSilence" : "silences.newWindow")}
      className="top-4 max-h-[calc(100dvh-2rem)] w-[min(34rem,calc(100vw-1rem))] overflow-auto p-4 sm:top-16"
    >
      <NewSpanForm kind={kind} preset={preset} change={change} onClose={onClose} />
    </Dialog>
  );
}

interface NewSpanFormProps extends NewSpanDialogProps {
  change: ReturnType<typeof useChange>;
}

function NewSpanForm({ kind, preset, change, onClose }: NewSpanFormProps) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(() => draftOf(preset));
  const unanswered = useRef<{ draft: Draft; sent: Change | null } | null>(null);
  const set = (values: Partial<Draft>) => setDraft({ ...draft, ...values });
  const wanted = changeOf(kind, draft, Date.now());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // Sent again after a lost answer it says the same, down to the instants, and so counts once.
    if (unanswered.current?.draft !== draft) unanswered.current = { draft, sent: changeOf(kind, draft, Date.now()) };
    const { sent } = unanswered.current;
    if (sent === null) return;
    change.mutate(sent, {
      onSuccess: () => {
        toast.success(t("silences.form.done"));
        onClose();
      },
    });
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      {kind === "window" && (
        <div>
          <Choice
            label={t("silences.form.kind")}
            value={draft.work}
            onChange={(work) => set({ work: work === "maintenance" ? work : "test" })}
            options={[
              ["test", t("silences.kind.test")],
              ["maintenance", t("silences.kind.maintenance")],
            ]}
          />
          <p className="mt-1 text-xs text-muted">{t(`silences.form.${draft.work}Hint`)}</p>
        </div>
      )}
      <div className="flex flex-wrap items-end gap-3">
        <Choice
          label={t("silences.form.scope")}
          value={draft.scope}
          onChange={(value) => set({ scope: scopes.find((scope) => scope === value) ?? "string" })}
          options={scopes.map((scope) => [scope, t(`silences.scope.${scope}`)])}
        />
        <label className="grow">
          {t("silences.form.id")}
          <input
            className="mt-1 block min-h-8 w-full rounded-lg border border-border-strong bg-bg px-2"
            value={draft.scopeId}
            placeholder={t("silences.form.idHint", { example: examples[draft.scope] })}
            onChange={(event) => set({ scopeId: event.target.value })}
          />
        </label>
      </div>
      {kind === "silence" && <TypeFields types={draft.types} onChange={(types) => set({ types })} />}
      <SpanFields draft={draft} onChange={set} />
      <label className="block">
        {t("silences.form.reason")}
        <textarea
          rows={3}
          maxLength={2000}
          className="mt-1 block w-full rounded-lg border border-border-strong bg-bg px-2 py-1"
          value={draft.reason}
          onChange={(event) => set({ reason: event.target.value })}
        />
      </label>
      {kind === "silence" && (
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            className="mt-1 size-4"
            checked={draft.coversSafety}
            onChange={(event) => set({ coversSafety: event.target.checked })}
          />
          <span>
            {t("silences.form.safety")}
            <span className="block text-xs text-warning-text">{t("silences.form.safetyHint")}</span>
          </span>
        </label>
      )}
      {change.isError && (
        <p role="alert" className="text-critical-text">
          {problemText(problemOf(change.error))}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <DialogClose>
          <Button disabled={change.isPending}>{t("common.cancel")}</Button>
        </DialogClose>
        <Button type="submit" tone="primary" disabled={change.isPending || wanted === null}>
          {t(kind === "silence" ? "silences.form.save" : "silences.form.plan")}
        </Button>
      </div>
    </form>
  );
}

function changeOf(kind: "silence" | "window", draft: Draft, now: number): Change | null {
  if (kind === "silence") {
    const body = silenceOf(draft, now);
    return body === null ? null : { kind, body };
  }
  const body = windowOf(draft, now);
  return body === null ? null : { kind, body };
}
