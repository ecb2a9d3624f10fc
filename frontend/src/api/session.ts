import { create } from "zustand";

import type { User } from "./types";

interface SessionState {
  /** Access token, in memory only; the refresh token is in a cookie that scripts cannot read. */
  accessToken: string | null;
  user: User | null;
  /** `unknown` until the first refresh shows whether a session exists. */
  phase: "unknown" | "signed-in" | "signed-out";
  signedIn: (accessToken: string, user: User) => void;
  signedOut: () => void;
}

export const useSession = create<SessionState>((set) => ({
  accessToken: null,
  user: null,
  phase: "unknown",
  signedIn: (accessToken, user) => set({ accessToken, user, phase: "signed-in" }),
  signedOut: () => set({ accessToken: null, user: null, phase: "signed-out" }),
}));

const ranks = { viewer: 0, engineer: 1, admin: 2 } as const;

export function useMay(role: keyof typeof ranks): boolean {
  return useSession((state) => state.user !== null && ranks[state.user.role] >= ranks[role]);
}
