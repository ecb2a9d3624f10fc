import clsx from "clsx";
import { type ButtonHTMLAttributes, forwardRef } from "react";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  tone?: "primary" | "plain" | "quiet";
}

export const Button = forwardRef<HTMLButtonElement, ButtonProps>(function Button(
  { tone = "plain", className, type = "button", ...rest },
  ref,
) {
  return (
    <button
      ref={ref}
      type={type}
      className={clsx(
        "inline-flex min-h-8 items-center justify-center gap-1.5 rounded-lg px-3 py-1 font-medium disabled:cursor-not-allowed disabled:opacity-50",
        tone === "primary" && "bg-accent text-on-accent hover:opacity-90",
        tone === "plain" && "border border-border-strong bg-surface hover:bg-surface-2",
        tone === "quiet" && "hover:bg-surface-2",
        className,
      )}
      {...rest}
    />
  );
});
