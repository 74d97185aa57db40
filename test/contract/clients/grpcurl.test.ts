import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { missingForGo } from "@penstock/local";
import { waitUntil } from "@penstock/testkit";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { sharedWorld } from "../../shared-world.ts";
import { grpcurl, TOOLS_MS } from "../../tools.ts";
import { CALLS, type CallContext, type GrpcurlCall } from "./grpcurl-calls.ts";

const shared = sharedWorld({ partitions: 2 });

const CALL_MS_MAX = 60_000;

interface Answer {
  readonly output: string;
  readonly error: string;
}

describe.skipIf(missingForGo() !== undefined)("grpcurl, by reflection alone", () => {
  let program = "";
  /** Address of the service that has a method. */
  const addresses = new Map<string, string>();
  let context: CallContext;

  beforeAll(async () => {
    program = await grpcurl();
    const { world } = shared;
    for (const service of [world.mappingService, ...world.pollers, ...world.invokers]) {
      for (const name of await list(service.ready.grpc)) {
        for (const method of await list(service.ready.grpc, name))
          addresses.set(method.replace(/\.([^.]+)$/, "/$1"), service.ready.grpc);
      }
    }
    const { topic } = world;
    const functionUrl = world.function.url;
    const nodeId = randomUUID();
    context = { kafka: inject("KAFKA"), topic, functionUrl, nodeId, uuid: "", arn: "" };
  }, TOOLS_MS);

  /** Runs grpcurl to its end, or until its output says `enough`. */
  function run(args: readonly string[], enough?: RegExp): Promise<Answer> {
    return new Promise((resolve) => {
      const child = execFile(program, args, { timeout: CALL_MS_MAX }, (_, output, error) =>
        resolve({ output, error }),
      );
      let output = "";
      child.stdout?.on("data", (chunk: string) => {
        output += chunk;
        if (enough?.test(output)) child.kill();
      });
    });
  }

  async function list(address: string, ...service: readonly string[]): Promise<string[]> {
    const { output, error } = await run(["-plaintext", address, "list", ...service]);
    expect(error).toBe("");
    return output.trim().split("\n");
  }

  function call({ method, request, says, isEndless = false }: GrpcurlCall): Promise<Answer> {
    const body = JSON.stringify(request(context));
    const flags = ["-plaintext", "-emit-defaults", "-d", body];
    return run([...flags, addresses.get(method) ?? "", method], isEndless ? says : undefined);
  }

  /** Null: ask again. */
  async function answerThatSays(one: GrpcurlCall, says: RegExp): Promise<Answer | null> {
    const answer = await call(one);
    return says.test(answer.output) || /Unimplemented/.test(answer.error) ? answer : null;
  }

  it("describes every method, and this test has a call for each", () => {
    expect([...addresses.keys()].sort()).toEqual(CALLS.map(({ method }) => method).sort());
  });

  it.each(CALLS)("calls $method", async (one) => {
    const { says = /^\{/ } = one;
    const answer = one.isAwaited
      ? await waitUntil(`${one.method} says ${says}`, () => answerThatSays(one, says), CALL_MS_MAX)
      : await call(one);
    expect(answer.error).toBe("");
    expect(answer.output).toMatch(says);
    if (one.method.endsWith("/CreateEventSourceMapping")) {
      const { eventSourceMapping } = JSON.parse(answer.output) as CreateAnswer;
      const { uuid, eventSourceMappingArn: arn } = eventSourceMapping;
      context = { ...context, uuid, arn };
    }
  });
});

interface CreateAnswer {
  readonly eventSourceMapping: { readonly uuid: string; readonly eventSourceMappingArn: string };
}
