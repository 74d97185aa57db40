import { type Clock, type FunctionCall, type FunctionTarget, PenstockError } from "@penstock/core";
import { metadataOfCall } from "../http/http-target.ts";
import type { CallTerms, FunctionCaller } from "../invoker/function-caller.ts";
import type { CallResult } from "../outcome/call-result.ts";
import type { GrpcAddress, GrpcChannels } from "./grpc-channels.ts";
import { GrpcExchange } from "./grpc-exchange.ts";

const PATH = "/penstock.function.v1.KafkaFunctionService/Handle";

/** Calls one gRPC function. There is no service config, no proxy and no retry below this level. */
export class GrpcCaller implements FunctionCaller {
  readonly #clock: Clock;
  readonly #channels: GrpcChannels;
  readonly #address: GrpcAddress;

  constructor(
    clock: Clock,
    channels: GrpcChannels,
    target: Extract<FunctionTarget, { kind: "grpc" }>,
  ) {
    this.#clock = clock;
    this.#channels = channels;
    this.#address = parseGrpcAddress(target.address, target.tls);
  }

  start(call: FunctionCall, terms: CallTerms, done: (result: CallResult) => void): void {
    const headers: Record<string, string> = {
      ":method": "POST",
      ":path": PATH,
      ":authority": this.#address.authority,
      "content-type": "application/grpc+proto",
      te: "trailers",
      "grpc-accept-encoding": "identity",
      "user-agent": "penstock",
    };
    const metadata = metadataOfCall(call, this.#clock.wallMs() + terms.timeoutMs);
    for (let at = 0; at < metadata.length; at += 2) {
      headers[metadata[at] ?? ""] = metadata[at + 1] ?? "";
    }
    const request = { headers, payload: call.payload };
    const exchange = new GrpcExchange(this.#clock, terms, request, done);
    this.#channels.channelOf(this.#address).seek(exchange);
  }

  /** Channels belong to addresses, which functions share. */
  close(): void {}
}

/** `host:port` or `[ipv6]:port`. Throws `invalidArgument` for anything else (a scheme, a path, several addresses). */
export function parseGrpcAddress(address: string, isTls: boolean): GrpcAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  // Some names are none in a URL (256.1.1.1), where they are put to be dialled.
  const isDialled = port >= 1 && port <= 65_535 && URL.canParse(`http://${address}`);
  if (host === undefined || !isDialled) {
    throw new PenstockError("invalidArgument", "A gRPC target is host:port and nothing else.");
  }
  return { host, port, isTls, authority: address };
}
