import { create } from "zustand";

export type Theme = "light" | "dark";

interface Preferences {
  theme: Theme;
  toggleTheme: () => void;
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
}));
