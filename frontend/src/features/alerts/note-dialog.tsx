import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import type { Alert } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";
import { alertTypeText } from "@/i18n/alert-texts";

import { subjectText } from "@/components/alert-explanation/alert-text";

interface NoteDialogProps {
  title: string;
  confirm: string;
  /** The alerts that the note will stand under. */
  alerts: readonly Alert[];
  open: boolean;
  /** It is being sent: neither again nor back. */
  busy: boolean;
  /** The note is what is sent, so that it must not be blank. */
  required?: boolean;
  onOpenChange: (open: boolean) => void;
  /** Closes the dialog when it has succeeded; until then the note stays in it. */
  onConfirm: (note: string) => void;
}

/** Asks for a note and names the alerts it belongs to. A note that was not sent belongs to no other alert. */
export function NoteDialog({ title, open, busy, onOpenChange, ...form }: NoteDialogProps) {
  return (
    <Dialog
      open={open}
      onOpenChange={(isOpen) => !busy && onOpenChange(isOpen)}
      title={title}
      className="top-24 w-[min(28rem,calc(100vw-2rem))] p-4"
    >
      <NoteForm key={form.alerts.map((alert) => alert.alert_id).join()} busy={busy} {...form} />
    </Dialog>
  );
}

type NoteFormProps = Omit<NoteDialogProps, "title" | "open" | "onOpenChange">;

function NoteForm({ confirm, alerts, busy, required = false, onConfirm }: NoteFormProps) {
  const { t } = useTranslation();
  const [note, setNote] = useState("");
  function submit(event: FormEvent): void {
    event.preventDefault();
    onConfirm(note.trim());
  }
  return (
    <form onSubmit={submit}>
      <ul className="mb-3 max-h-40 overflow-auto">
        {alerts.map((alert) => (
          <li key={alert.alert_id}>
            {alertTypeText(alert.type)}: <span className="text-muted">{subjectText(alert, t)}</span>
          </li>
        ))}
      </ul>
      <label className="block font-medium">
        {t("alerts.note")}
        <textarea
          value={note}
          onChange={(event) => setNote(event.target.value)}
          placeholder={t("alerts.notePlaceholder")}
          rows={3}
          maxLength={2000}
          className="mt-1 w-full rounded-lg border border-border-strong bg-bg p-2"
        />
      </label>
      <div className="mt-3 flex justify-end gap-2">
        <DialogClose>
          <Button disabled={busy}>{t("common.cancel")}</Button>
        </DialogClose>
        <Button type="submit" tone="primary" disabled={busy || (required && note.trim() === "")}>
          {confirm}
        </Button>
      </div>
    </form>
  );
}
