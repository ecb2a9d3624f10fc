import { Archive, ArchiveRestore } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "@/api/session";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose } from "@/components/ui/dialog";

import { type RetirableKind, type RetirementAction, useRetirement } from "./mutations";

interface RetirementButtonProps {
  action: RetirementAction;
  kind: RetirableKind;
  id: string;
  /** The batteries that it is about. */
  batteryCount: number;
  /** One of several on a page: an icon that is named after what it is about. */
  isOneOfMany?: boolean;
}

/** For administrators: says what will change, asks for the reason, and only then retires or brings back. */
export function RetirementButton({ action, kind, id, batteryCount, isOneOfMany = false }: RetirementButtonProps) {
  const { t } = useTranslation();
  const mayRetire = useMay("admin");
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const retirement = useRetirement(action, kind, id);
  const title = t(`retirement.title.${action}`, { id });
  const Icon = action === "retire" ? Archive : ArchiveRestore;
  if (!mayRetire) return null;

  /** A reason that was not sent belongs to nothing else. */
  function change(opens: boolean): void {
    if (!opens) setReason("");
    setOpen(opens);
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    retirement.mutate(reason.trim(), { onSuccess: () => change(false) });
  }
  return (
    <>
      {isOneOfMany ? (
        <button
          type="button"
          aria-label={title}
          title={title}
          className="grid size-6 shrink-0 place-items-center rounded hover:bg-surface-2"
          onClick={() => setOpen(true)}
        >
          <Icon aria-hidden size={14} />
        </button>
      ) : (
        <Button onClick={() => setOpen(true)}>{t(`retirement.action.${action}`)}</Button>
      )}
      <Dialog
        open={isOpen}
        onOpenChange={change}
        title={title}
        className="top-24 w-[min(28rem,calc(100vw-2rem))] p-4 break-words"
      >
        <form onSubmit={submit}>
          <p className="mb-3">
            {t(action === "retire" ? `retirement.retireEffect.${kind}` : `retirement.unretireEffect.${kind}`, {
              count: batteryCount,
            })}
          </p>
          <label className="block font-medium">
            {t("retirement.reason")}
            <textarea
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              placeholder={t(`retirement.reasonPlaceholder.${action}`)}
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
            <Button type="submit" tone="primary" disabled={retirement.isPending || reason.trim() === ""}>
              {t(`retirement.action.${action}`)}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
