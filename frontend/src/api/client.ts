import axios, { AxiosHeaders, type AxiosError, type InternalAxiosRequestConfig } from "axios";

import { useSession } from "./session";
import { type AnswerOf, type ArgumentsOf, type PathWith, send } from "./typed-request";

const http = axios.create({ timeout: 20_000, paramsSerializer: { indexes: null } });
/** Without a token: signing in and refreshing. */
const anonymous = axios.create({ timeout: 10_000 });

type Retriable = InternalAxiosRequestConfig & { retried?: boolean };

let refreshing: Promise<string | null> | null = null;

/** Exchange the cookie for a new access token; concurrent calls share one exchange. */
export function refreshSession(): Promise<string | null> {
  refreshing ??= exchange().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function exchange(): Promise<string | null> {
  try {
    const session = await send(anonymous, "post", "/api/v1/auth/refresh", { body: {} });
    useSession.getState().signedIn(session.access_token, session.user);
    return session.access_token;
  } catch (error) {
    // Only a refusal ends the session; a network that fails for a moment does not.
    if (axios.isAxiosError(error) && error.response?.status === 401) useSession.getState().signedOut();
    return null;
  }
}

export async function signIn(username: string, password: string): Promise<void> {
  const session = await send(anonymous, "post", "/api/v1/auth/login", {
    body: { username, password, session: "cookie" },
  });
  useSession.getState().signedIn(session.access_token, session.user);
}

export async function signOut(): Promise<void> {
  try {
    await post("/api/v1/auth/logout");
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

/** Read from the gateway: `get("/api/v1/batteries/{battery_id}", { path: { battery_id } })`. */
export function get<P extends PathWith<"get">>(
  path: P,
  ...[options]: ArgumentsOf<"get", P>
): Promise<AnswerOf<"get", P>> {
  return send(http, "get", path, options);
}

export function post<P extends PathWith<"post">>(
  path: P,
  ...[options]: ArgumentsOf<"post", P>
): Promise<AnswerOf<"post", P>> {
  return send(http, "post", path, options);
}

export function put<P extends PathWith<"put">>(
  path: P,
  ...[options]: ArgumentsOf<"put", P>
): Promise<AnswerOf<"put", P>> {
  return send(http, "put", path, options);
}

export function remove<P extends PathWith<"delete">>(
  path: P,
  ...[options]: ArgumentsOf<"delete", P>
): Promise<AnswerOf<"delete", P>> {
  return send(http, "delete", path, options);
}
