import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "sonner";

import { useSession } from "@/api/session";
import type { Incident } from "@/api/types";
import { subjectText } from "@/components/alert-explanation/alert-text";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";
import { alertTypeText } from "@/i18n/alert-texts";
import type { ActionKind } from "@/i18n/incident-texts";
import { endInstant } from "@/lib/end-choices";

import { AssigneeField } from "./assignee-field";
import type { Command, Conflict, Outcome } from "./commands";
import { ConflictNotice } from "./conflict-notice";
import { canSendAgain } from "./conflict-text";
import { useDraft } from "./drafts";
import { NoteField } from "./note-field";
import { LONGEST_SNOOZE_MS, SnoozeField } from "./snooze-field";
import { useCommand } from "./use-command";

interface CommandDialogProps {
  kind: ActionKind;
  /** Several only to acknowledge them. */
  incidents: readonly Incident[];
  onClose: () => void;
  /** It was sent, to all of them. */
  onDone?: () => void;
}

/** Asks for what an action needs and names the incidents; what changed meanwhile is shown before it is sent again. */
export function CommandDialog({ kind, incidents, onClose, onDone }: CommandDialogProps) {
  const { t } = useTranslation();
  const sending = useCommand();
  const title =
    kind === "acknowledge"
      ? t("incidents.acknowledgeCount", { count: incidents.length })
      : t(`incidents.action.${kind}`);
  return (
    <Dialog
      open
      onOpenChange={(isOpen) => !isOpen && !sending.isPending && onClose()}
      title={title}
      className="top-16 max-h-[calc(100dvh-5rem)] w-[min(30rem,calc(100vw-2rem))] overflow-auto p-4"
    >
      <CommandForm kind={kind} incidents={incidents} sending={sending} onClose={onClose} onDone={onDone} />
    </Dialog>
  );
}

interface CommandFormProps extends Omit<CommandDialogProps, "onDone"> {
  sending: ReturnType<typeof useCommand>;
  onDone: (() => void) | undefined;
}

function CommandForm({ kind, incidents, sending, onClose, onDone }: CommandFormProps) {
  const { t } = useTranslation();
  const draft = useDraft(`${kind} ${incidents.map(({ incident_id: id }) => id).join()}`);
  const form = useFields(kind);
  const [conflicts, setConflicts] = useState<readonly Conflict[]>([]);
  const note = draft.note.trim();
  const command = commandOf(kind, note, form.until, form.assignee);
  const again = conflicts.filter(canSendAgain).flatMap(({ state }) => state ?? []);
  const lost = conflicts.length === 1 && again.length === 0 ? (conflicts[0]?.state ?? null) : null;

  function send(sent: Command, seen: readonly Incident[]): void {
    sending.mutate({ command: sent, seen }, { onSuccess: (outcome) => settle(sent, outcome) });
  }
  function settle(sent: Command, { conflicts: found, stillActive }: Outcome): void {
    setConflicts(found);
    if (found.length > 0) return;
    draft.forget();
    if (stillActive > 0) toast.warning(t("incidents.stillActive", { count: stillActive }));
    else toast.success(t(`incidents.done.${sent.kind}`));
    onDone?.();
    onClose();
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (command !== null) send(command, conflicts.length === 0 ? incidents : again);
  }
  return (
    <form onSubmit={submit}>
      <Subjects incidents={incidents} />
      {kind === "snooze" && <SnoozeField onChange={form.setUntil} />}
      {kind === "assign" && (
        <AssigneeField value={form.assignee} onChange={form.setAssignee} locationId={incidents[0]?.location_id ?? ""} />
      )}
      {kind !== "assign" && kind !== "end-snooze" && <NoteField value={draft.note} onChange={draft.setNote} />}
      {conflicts.length > 0 && <ConflictNotice conflicts={conflicts} seen={incidents} keepsNote={note !== ""} />}
      <div className="mt-3 flex flex-wrap justify-end gap-2">
        <DialogClose>
          <Button disabled={sending.isPending}>{t("common.cancel")}</Button>
        </DialogClose>
        {lost !== null && note !== "" && (
          <Button disabled={sending.isPending} onClick={() => send({ kind: "comment", note }, [lost])}>
            {t("incidents.conflict.asComment")}
          </Button>
        )}
        {(conflicts.length === 0 || again.length > 0) && (
          <Button type="submit" tone="primary" disabled={sending.isPending || command === null}>
            {conflicts.length === 0
              ? t(`incidents.action.${kind}`)
              : incidents.length === 1
                ? t("incidents.conflict.again")
                : t("incidents.conflict.againCount", { count: again.length })}
          </Button>
        )}
      </div>
    </form>
  );
}

function useFields(kind: ActionKind) {
  const username = useSession((state) => state.user?.username) ?? "";
  const [until, setUntil] = useState(() =>
    kind === "snooze" ? endInstant("1h", "", Date.now(), LONGEST_SNOOZE_MS) : null,
  );
  const [assignee, setAssignee] = useState(username);
  return { until, setUntil, assignee, setAssignee };
}

/** The command that the fields describe; null while something is missing. */
function commandOf(kind: ActionKind, note: string, until: string | null, assignee: string): Command | null {
  if (kind === "end-snooze") return { kind };
  if (kind === "assign") return { kind, assignee: assignee.trim() === "" ? null : assignee.trim() };
  if (note === "") return null;
  if (kind === "snooze") return until === null ? null : { kind, note, until };
  return { kind, note };
}

function Subjects({ incidents }: { incidents: readonly Incident[] }) {
  const { t } = useTranslation();
  return (
    <ul className="mb-3 max-h-40 overflow-auto [overflow-wrap:anywhere]">
      {incidents.map(({ incident_id: id, lead }) => (
        <li key={id}>
          {alertTypeText(lead.type)}: <span className="text-muted">{subjectText(lead, t)}</span>
        </li>
      ))}
    </ul>
  );
}
