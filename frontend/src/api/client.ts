import axios, { AxiosHeaders, type AxiosError, type InternalAxiosRequestConfig } from "axios";

import { useSession } from "./session";
import type { Session } from "./types";

export const http = axios.create({ baseURL: "/api/v1", timeout: 20_000, paramsSerializer: { indexes: null } });

type Retriable = InternalAxiosRequestConfig & { retried?: boolean };

let refreshing: Promise<string | null> | null = null;

/** Exchange the cookie for a new access token; calls at the same time share one exchange. */
export function refreshSession(): Promise<string | null> {
  refreshing ??= exchange().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function exchange(): Promise<string | null> {
  try {
    const { data } = await axios.post<Session>("/api/v1/auth/refresh", {}, { timeout: 10_000 });
    useSession.getState().signedIn(data.access_token, data.user);
    return data.access_token;
  } catch (error) {
    // Only a refusal ends the session; a network that is down for a moment does not.
    if (axios.isAxiosError(error) && error.response?.status === 401) useSession.getState().signedOut();
    return null;
  }
}

export async function signIn(username: string, password: string): Promise<void> {
  const { data } = await axios.post<Session>("/api/v1/auth/login", { username, password, session: "cookie" });
  useSession.getState().signedIn(data.access_token, data.user);
}

export async function signOut(): Promise<void> {
  try {
    await http.post("/auth/logout");
  } finally {
    useSession.getState().signedOut();
  }
}

http.interceptors.request.use((config) => {
  const token = useSession.getState().accessToken;
  if (token !== null) config.headers.set("Authorization", `Bearer ${token}`);
  return config;
});

http.interceptors.response.use(undefined, async (error: AxiosError) => {
  const config = error.config as Retriable | undefined;
  if (error.response?.status !== 401 || config === undefined || config.retried === true) throw error;
  const token = await refreshSession();
  if (token === null) throw error;
  config.retried = true;
  config.headers = new AxiosHeaders(config.headers);
  return http.request(config);
});

export async function get<T>(path: string, params?: object, signal?: AbortSignal): Promise<T> {
  const { data } = await http.get<T>(path, { params, ...(signal ? { signal } : {}) });
  return data;
}
