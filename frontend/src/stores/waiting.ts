import { create } from "zustand";

/** How many incidents wait for somebody; the title of the tab shows it on every page. Null while it is not known. */
export const useWaiting = create<{ count: number | null }>(() => ({ count: null }));
