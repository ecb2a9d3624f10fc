import clsx from "clsx";
import { Dialog as RadixDialog } from "radix-ui";
import type { ReactNode } from "react";

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** The title is for screen readers only. */
  hidesTitle?: boolean;
  /** Width and distance from the top. */
  className: string;
  children: ReactNode;
}

/** A modal dialog over the page: it holds the focus and closes on Escape and on a click outside. */
export function Dialog({ open, onOpenChange, title, hidesTitle = false, className, children }: DialogProps) {
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <RadixDialog.Content
          aria-describedby={undefined}
          className={clsx("fixed left-1/2 z-50 -translate-x-1/2 rounded-lg border border-border bg-surface", className)}
        >
          <RadixDialog.Title className={hidesTitle ? "sr-only" : "mb-3 text-base font-semibold"}>
            {title}
          </RadixDialog.Title>
          {children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/** Makes its child close the dialog. */
export function DialogClose({ children }: { children: ReactNode }) {
  return <RadixDialog.Close asChild>{children}</RadixDialog.Close>;
}
