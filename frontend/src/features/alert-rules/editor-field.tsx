import { type ReactNode, useId } from "react";

interface EditorFieldProps {
  label: string;
  /** What applies without it, and which values it takes. */
  hints?: readonly string[];
  issue: string | null;
  /** The control, with the attributes that tie it to label and issue. */
  children: (attributes: { id: string; "aria-invalid": boolean; "aria-describedby": string }) => ReactNode;
}

export const control = "min-h-9 min-w-0 rounded-lg border border-border-strong bg-bg px-2";

/** A labelled control with its hints, and what is wrong with it. */
export function EditorField({ label, hints = [], issue, children }: EditorFieldProps) {
  const id = useId();
  const note = `${id}-note`;
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="block font-medium">
        {label}
      </label>
      <div className="mt-1 flex gap-2">
        {children({ id, "aria-invalid": issue !== null, "aria-describedby": note })}
      </div>
      <div id={note} className="mt-0.5 break-words text-xs">
        {issue !== null && <p className="font-medium text-critical-text">{issue}</p>}
        {hints.map((hint) => (
          <p key={hint} className="text-muted">
            {hint}
          </p>
        ))}
      </div>
    </div>
  );
}
