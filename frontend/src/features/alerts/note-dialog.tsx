import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";

interface NoteDialogProps {
  title: string;
  confirm: string;
  open: boolean;
  busy: boolean;
  /** The note is what is sent, so that it must not be blank. */
  required?: boolean;
  onOpenChange: (open: boolean) => void;
  onConfirm: (note: string) => void;
}

export function NoteDialog({ title, confirm, open, busy, required = false, onOpenChange, onConfirm }: NoteDialogProps) {
  const { t } = useTranslation();
  const [note, setNote] = useState("");
  /** A note that was not sent belongs to no other alert. */
  function change(isOpen: boolean): void {
    if (!isOpen) setNote("");
    onOpenChange(isOpen);
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    onConfirm(note.trim());
    setNote("");
  }
  return (
    <Dialog open={open} onOpenChange={change} title={title} className="top-24 w-[min(28rem,calc(100vw-2rem))] p-4">
      <form onSubmit={submit}>
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
            <Button>{t("common.cancel")}</Button>
          </DialogClose>
          <Button type="submit" tone="primary" disabled={busy || (required && note.trim() === "")}>
            {confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
