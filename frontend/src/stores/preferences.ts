import { create } from "zustand";

export type Theme = "light" | "dark";

interface Preferences {
  theme: Theme;
  toggleTheme: () => void;
  /** Single-key shortcuts can be switched off: speech input types letters by accident. */
  shortcuts: boolean;
  setShortcuts: (on: boolean) => void;
}

/** The attribute is set here, not in an effect: charts and canvases redraw with the new colours already in place. */
export const usePreferences = create<Preferences>((set, getState) => ({
  theme: document.documentElement.dataset.theme === "dark" ? "dark" : "light",
  toggleTheme: () => {
    const theme = getState().theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    set({ theme });
  },
  shortcuts: localStorage.getItem("shortcuts") !== "off",
  setShortcuts: (shortcuts) => {
    localStorage.setItem("shortcuts", shortcuts ? "on" : "off");
    set({ shortcuts });
  },
}));
