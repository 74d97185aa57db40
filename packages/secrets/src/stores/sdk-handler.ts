import { Readable } from "node:stream";
import type { GuardedHttp, GuardedRequest } from "@penstock/egress";

/** What the SDK hands to whoever makes its HTTP requests. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Lets an AWS SDK client speak through the guarded HTTP client: the guard judges its endpoint, and deadlines and limits hold. */
export function createSdkHandler(http: GuardedHttp) {
  return {
    async handle(request: SdkRequest, options?: { readonly abortSignal?: unknown }) {
      const answer = await http.request({
        ...requestOf(request),
        signal: options?.abortSignal instanceof AbortSignal ? options.abortSignal : undefined,
      });
      const { status: statusCode, headers, body } = answer;
      return { response: { statusCode, headers: { ...headers }, body: Readable.from([body]) } };
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

function requestOf(request: SdkRequest): GuardedRequest {
  const { protocol, hostname, port, path, query, method, headers, body } = request;
  const url = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value ?? ""])
      url.searchParams.append(name, one);
  }
  // The signature covers `host`, which the client writes itself, the same.
  const { host: _host, "content-length": _length, ...others } = headers;
  return {
    url,
    method: method as NonNullable<GuardedRequest["method"]>,
    headers: others,
    body: bytesOf(body),
  };
}

function bytesOf(body: unknown): string | Buffer | null {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return typeof body === "string" ? body : null;
}
