import { forwardRef, type HTMLAttributes } from "react";

interface ScrollRegionProps extends HTMLAttributes<HTMLDivElement> {
  label: string;
}

/** A part of the page that scrolls by itself; the keyboard reaches it too. */
export const ScrollRegion = forwardRef<HTMLDivElement, ScrollRegionProps>(function ScrollRegion(
  { label, role = "region", children, ...rest },
  ref,
) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard
    <div ref={ref} role={role} aria-label={label} tabIndex={0} {...rest}>
      {children}
    </div>
  );
});
