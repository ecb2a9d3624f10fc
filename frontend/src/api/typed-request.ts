import type { AxiosInstance } from "axios";

import type { paths } from "./schema.gen";

type Method = "get" | "post" | "put" | "delete";

/** Paths of the gateway that have this method. */
export type PathWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

type Operation<M extends Method, P extends PathWith<M>> = paths[P] extends Record<M, infer O> ? O : never;

type JsonOf<T> = T extends { content: { "application/json": infer Body } } ? Body : undefined;

/** The body of the answer, by the gateway's description; undefined where there is none. */
export type AnswerOf<M extends Method, P extends PathWith<M>> =
  Operation<M, P> extends { responses: infer R } ? JsonOf<R[keyof R & (200 | 201 | 202 | 204)]> : never;

type PathValues = Readonly<Record<string, string | number>>;
type PathParams<O> = O extends { parameters: { path: infer T extends PathValues } } ? { path: T } : { path?: never };
type QueryParams<O> = O extends { parameters: { query: infer T } }
  ? { query: T }
  : O extends { parameters: { query?: infer T } }
    ? { query?: T }
    : { query?: never };
type RequestBody<O> = O extends { requestBody: { content: { "application/json": infer T } } }
  ? { body: T }
  : O extends { requestBody?: { content: { "application/json": infer T } } }
    ? { body?: T }
    : { body?: never };

export type OptionsOf<M extends Method, P extends PathWith<M>> = PathParams<Operation<M, P>> &
  QueryParams<Operation<M, P>> &
  RequestBody<Operation<M, P>> &
  Extras;

interface Extras {
  signal?: AbortSignal;
  headers?: Readonly<Record<string, string>>;
}

/** Options may be left out only where the operation needs none. */
export type ArgumentsOf<M extends Method, P extends PathWith<M>> =
  Extras extends OptionsOf<M, P> ? [options?: OptionsOf<M, P>] : [options: OptionsOf<M, P>];

interface AnyOptions {
  path?: PathValues | undefined;
  query?: unknown;
  body?: unknown;
  signal?: AbortSignal | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
}

/** Send a request whose path, parameters, body and answer belong together by the gateway's OpenAPI description. */
export async function send<M extends Method, P extends PathWith<M>>(
  client: AxiosInstance,
  method: M,
  path: P,
  options: AnyOptions = {},
): Promise<AnswerOf<M, P>> {
  const { data } = await client.request<AnswerOf<M, P>>({
    method,
    url: filled(path, options.path ?? {}),
    params: options.query,
    data: options.body,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  });
  return data;
}

/** A path template with its parameters in place, each encoded. */
export function filled(template: string, params: PathValues): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`${template} needs ${name}`);
    return encodeURIComponent(value);
  });
}
