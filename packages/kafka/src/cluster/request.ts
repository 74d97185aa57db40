/**
 * One request over a connection. The library turns any error code inside a response into a rejection; here such a response is an
 * answer, because a decision per partition needs all of it. Only what is not an answer rejects (as a PenstockError).
 *
 * A throttle time in an answer is noted; whoever can wait looks there before the next request (`ask`).
 */
import type { Connection } from "@platformatic/kafka";
import { throttleOf } from "../connection/throttle.ts";
import { toKafkaError } from "./kafka-error.ts";

/** The promise form of the library's API modules (`metadataV12.api` and others). */
export interface Api<Arguments extends unknown[], Response> {
  async(connection: Connection, ...args: Arguments): Promise<Response>;
}

export async function request<Arguments extends unknown[], Response>(
  connection: Connection,
  api: Api<Arguments, Response>,
  ...args: Arguments
): Promise<Response> {
  const response = await answerOf(connection, api, args);
  if (isRecord(response) && typeof response.throttleTimeMs === "number")
    throttleOf(connection).told(response.throttleTimeMs);
  return response;
}

async function answerOf<Arguments extends unknown[], Response>(
  connection: Connection,
  api: Api<Arguments, Response>,
  args: Arguments,
): Promise<Response> {
  try {
    return await api.async(connection, ...args);
  } catch (error) {
    if (isRecord(error) && error.code === "PLT_KFK_RESPONSE" && isRecord(error.response))
      return error.response as Response;
    throw toKafkaError(error, `${connection.host}:${connection.port}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
