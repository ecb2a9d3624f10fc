import { Dialog } from "radix-ui";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { Button } from "@/components/ui/button";

interface NoteDialogProps {
  title: string;
  confirm: string;
  open: boolean;
  busy: boolean;
  onOpenChange: (open: boolean) => void;
  onConfirm: (note: string) => void;
}

export function NoteDialog({ title, confirm, open, busy, onOpenChange, onConfirm }: NoteDialogProps) {
  const { t } = useTranslation();
  const [note, setNote] = useState("");
  function submit(event: FormEvent): void {
    event.preventDefault();
    onConfirm(note.trim());
    setNote("");
  }
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-24 left-1/2 z-50 w-[min(28rem,calc(100vw-2rem))] -translate-x-1/2 rounded-lg border border-border bg-surface p-4"
        >
          <Dialog.Title className="mb-3 text-base font-semibold">{title}</Dialog.Title>
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
              <Dialog.Close asChild>
                <Button>{t("alerts.cancel")}</Button>
              </Dialog.Close>
              <Button type="submit" tone="primary" disabled={busy}>
                {confirm}
              </Button>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
