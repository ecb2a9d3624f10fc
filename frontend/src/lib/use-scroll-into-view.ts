import { type RefObject, useEffect, useRef } from "react";

/** A ref for an element that scrolls into view when it becomes active. */
export function useScrollIntoView<T extends HTMLElement>(isActive: boolean): RefObject<T> {
  const element = useRef<T>(null);
  useEffect(() => {
    if (isActive) element.current?.scrollIntoView({ block: "nearest" });
  }, [isActive]);
  return element;
}
