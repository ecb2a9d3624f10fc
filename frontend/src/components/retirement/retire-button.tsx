import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "@/api/session";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";

import { type RetirableKind, useRetire } from "./mutations";

interface RetireButtonProps {
  kind: RetirableKind;
  id: string;
  batteryCount: number;
}

/** For administrators: says what will end, asks for the reason, and only then retires. */
export function RetireButton({ kind, id, batteryCount }: RetireButtonProps) {
  const { t } = useTranslation();
  const mayRetire = useMay("admin");
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const retire = useRetire(kind, id);
  if (!mayRetire) return null;

  /** A reason that was not sent belongs to nothing else. */
  function change(opens: boolean): void {
    if (!opens) setReason("");
    setOpen(opens);
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    retire.mutate(reason.trim(), { onSuccess: () => change(false) });
  }
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("retirement.retire")}</Button>
      <Dialog
        open={isOpen}
        onOpenChange={change}
        title={t("retirement.title", { id })}
        className="top-24 w-[min(28rem,calc(100vw-2rem))] p-4 break-words"
      >
        <form onSubmit={submit}>
          <p className="mb-3">{t(`retirement.${kind}`, { count: batteryCount })}</p>
          <label className="block font-medium">
            {t("retirement.reason")}
            <textarea
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              placeholder={t("retirement.reasonPlaceholder")}
              rows={3}
              maxLength={2000}
              required
              className="mt-1 w-full rounded-lg border border-border-strong bg-bg p-2"
            />
          </label>
          <div className="mt-3 flex justify-end gap-2">
            <DialogClose>
              <Button>{t("common.cancel")}</Button>
            </DialogClose>
            <Button type="submit" tone="primary" disabled={retire.isPending || reason.trim() === ""}>
              {t("retirement.retire")}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
