/**
 * The AWS face of the mapping service: event source mappings and their tags on the paths and in the words of AWS Lambda, so that the AWS CLI and SDKs work
 * with an endpoint override.
 *
 *     a path with a date ─▶ body (bounded) ─▶ who calls, with which role ─▶ throttle ─▶ JSON ─▶ command ─▶ answer
 *
 * Thin: it translates JSON to the model's input and back. Every answer has a request id, every error AWS's form. Who may not call learns nothing, not
 * even which paths there are (S-10).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ArnScope, type Clock, PenstockError } from "@penstock/core";
import {
  type Caller,
  type HttpAuthentication,
  type HttpExtra,
  type Logger,
  parseJsonBody,
  readBody,
} from "@penstock/runtime";
import type { MappingCommands } from "../commands/mapping-commands.ts";
import { OPERATIONS } from "./aws-operations.ts";
import { CallerThrottle, type ThrottleLimits } from "./caller-throttle.ts";
import { JsonMembers } from "./request/json-members.ts";
import { type AwsAnswer, sendAnswer } from "./wire/aws-answer.ts";
import { AwsRefusal } from "./wire/aws-refusal.ts";
import { isAwsPath, routeOf } from "./wire/aws-route.ts";
import { errorAnswer, isBug, tooManyRequests } from "./wire/error-answer.ts";

/** A signature covers the body, so it is read before it is known who calls; no request of this API comes near. */
const BODY_BYTES_MAX = 256 * 1024;

export interface AwsEndpointOptions {
  readonly commands: MappingCommands;
  readonly scope: ArnScope;
  readonly log: Logger;
  readonly clock: Pick<Clock, "nowMs">;
  /** A new UUID v4, for request ids. */
  readonly newId: () => string;
  readonly bodyBytesMax: number;
  readonly throttle: ThrottleLimits;
}

/** Takes requests whose path is AWS's. */
export function createAwsEndpoint(options: AwsEndpointOptions): HttpExtra {
  const { log, newId } = options;
  const bodyBytesMax = Math.min(options.bodyBytesMax, BODY_BYTES_MAX);
  const throttle = new CallerThrottle(options.throttle);

  async function answerTo(
    request: IncomingMessage,
    body: Buffer,
    authentication: HttpAuthentication,
  ): Promise<AwsAnswer> {
    const route = routeOf(request.method ?? "", request.url ?? "");
    const operation = route instanceof AwsRefusal ? null : OPERATIONS[route.operation];
    const caller = await authentication.authenticate(request, body, operation?.role);
    passThrottle(throttle, caller, options.clock.nowMs());
    if (operation === null || route instanceof AwsRefusal) throw route;
    const { label, query } = route;
    const { role } = operation;
    try {
      const members = JsonMembers.of(operation.hasBody ? parseBody(body) : undefined);
      const answer = await operation.run(options, { caller, label, query, body: members });
      authentication.ended(request, { caller, role, error: null });
      return answer;
    } catch (error) {
      authentication.ended(request, { caller, role, error });
      if (isBug(error)) throw error;
      return errorAnswer(error, operation.missing?.(label));
    }
  }

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    authentication: HttpAuthentication,
  ): Promise<void> {
    const requestId = newId();
    let isRead = false;
    let answer: AwsAnswer;
    try {
      const body = await readBodyOf(request, bodyBytesMax);
      isRead = true;
      answer = await answerTo(request, body, authentication);
    } catch (error) {
      answer = errorAnswer(error);
      // A client that hung up in the middle of its body gets no answer and is nobody's bug.
      if (isBug(error) && request.complete) {
        log.error("request failed by a bug", { requestId, path: request.url, error });
      }
    }
    if (!response.destroyed) sendAnswer(response, answer, { requestId, isRead });
  }

  return (request, response, authentication) => {
    if (!isAwsPath(request.url ?? "")) return false;
    void handle(request, response, authentication);
    return true;
  };
}

function passThrottle(throttle: CallerThrottle, caller: Caller, nowMs: number): void {
  const waitMs = throttle.take(caller.subject, nowMs);
  if (waitMs === 0) return;
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  throw new AwsRefusal("TooManyRequestsException", "Rate exceeded", tooManyRequests(seconds));
}

async function readBodyOf(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  // Said before any of it is read: who reads half a body can't be sure that the sender will look at the answer.
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  try {
    return await readBody(request, bytesMax);
  } catch (error) {
    if (error instanceof PenstockError && error.code === "limitExceeded") throw tooLarge(bytesMax);
    throw error;
  }
}

function tooLarge(bytesMax: number): AwsRefusal {
  const message = `The body must have at most ${bytesMax} bytes.`;
  return new AwsRefusal("RequestEntityTooLargeException", message);
}

function parseBody(body: Buffer): unknown {
  try {
    return parseJsonBody(body);
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    throw new AwsRefusal("SerializationException", error.message);
  }
}
