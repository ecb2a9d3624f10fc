import clsx from "clsx";
import { Dialog as RadixDialog } from "radix-ui";
import { type ReactNode, useRef } from "react";

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

/** Back to where the dialog was opened from; to the page's content where that is gone, as a row that left its list. */
function returnFocus(opener: Element | null): void {
  const target = opener?.isConnected === true ? opener : document.getElementById("content");
  if (target instanceof HTMLElement) target.focus();
}

/** A modal dialog over the page: it holds the focus, gives it back, and closes on Escape and on a click outside. */
export function Dialog({ open, onOpenChange, title, hidesTitle = false, className, children }: DialogProps) {
  const opener = useRef<Element | null>(null);
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <RadixDialog.Content
          aria-describedby={undefined}
          onOpenAutoFocus={() => {
            opener.current = document.activeElement;
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            returnFocus(opener.current);
          }}
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
