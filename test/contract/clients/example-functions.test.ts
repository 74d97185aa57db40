import { rmSync } from "node:fs";
import { join } from "node:path";
import { freePort, missingForGo, missingForPython, ServerProcess } from "@penstock/local";
import type { FlowOptions } from "@penstock/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { sharedWorld } from "../../shared-world.ts";
import { goFunctions, PYTHON_FUNCTIONS, TOOLS_MS } from "../../tools.ts";
import { generatePython, type PythonCode } from "./python-code.ts";

const RECORDS = 300;
const READY_MS_MAX = 30_000;

const shared = sharedWorld();
const running: ServerProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

interface Program {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a function and lets records flow through it; its own lines say what it got. */
async function tryFunction(
  kind: "http" | "grpc",
  program: (port: number) => Promise<Program>,
): Promise<void> {
  const port = await freePort();
  const { env = {}, ...started } = await program(port);
  const lines: string[] = [];
  const target = new ServerProcess({
    name: "example function",
    ...started,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    farewell: "TERM",
    stopSignal: "SIGTERM",
    stopLimitMs: 10_000,
    onLine: (line) => lines.push(line),
  });
  running.push(target);
  await target.ready(() => lines.some((line) => line.startsWith("listening on")), READY_MS_MAX);
  const options: FlowOptions =
    kind === "http" ? { url: `http://127.0.0.1:${port}/` } : { grpcAddress: `127.0.0.1:${port}` };
  await shared.flow({ ...options, partitions: 2, functionTimeoutMs: 20_000 }, async (flow) => {
    await flow.send(RECORDS);
    await flow.drain();
    expect(handled(lines, flow.topic)).toBe(RECORDS);
    for (const partition of [0, 1]) expect(firstOffset(lines, flow.topic, partition)).toBe(0);
  });
}

/** Records that the function says it handled, repeated ones not counted. Lines such as `12 records  orders[0] 40-46  (3 seen before)`. */
function handled(lines: readonly string[], topic: string): number {
  let sum = 0;
  for (const line of lines.filter((each) => each.includes(topic))) {
    sum += Number(/^(\d+) records?/.exec(line)?.[1]);
    sum -= Number(/\((\d+) seen before\)/.exec(line)?.[1] ?? 0);
  }
  return sum;
}

function firstOffset(lines: readonly string[], topic: string, partition: number): number {
  const line = lines.find((each) => each.includes(`${topic}[${partition}]`)) ?? "";
  return Number(line.split(`${topic}[${partition}] `)[1]?.split("-")[0]);
}

describe.skipIf(missingForPython() !== undefined)("the example functions in Python", () => {
  it(
    "get every record, in order, over gRPC",
    async () => {
      let code: PythonCode | undefined;
      try {
        await tryFunction("grpc", async (port) => {
          code = await generatePython(PYTHON_FUNCTIONS, "penstock/function/v1/function.proto");
          return pythonProgram("grpc_function.py", port, code);
        });
      } finally {
        if (code !== undefined) rmSync(code.folder, { recursive: true });
      }
    },
    TOOLS_MS,
  );

  it("get every record, in order, over HTTP", async () => {
    await tryFunction("http", async (port) => pythonProgram("http_function.py", port));
  });
});

describe.skipIf(missingForGo() !== undefined)("the example functions in Go", () => {
  it.each(["grpc", "http"] as const)(
    "get every record, in order, over %s",
    async (kind) => {
      await tryFunction(kind, async (port) => ({
        command: await goFunctions(),
        arguments: [kind, `127.0.0.1:${port}`],
      }));
    },
    TOOLS_MS,
  );
});

function pythonProgram(file: string, port: number, code?: PythonCode): Program {
  return {
    command: code?.python ?? "python3",
    arguments: [join(PYTHON_FUNCTIONS, file)],
    env: {
      PORT: String(port),
      PYTHONDONTWRITEBYTECODE: "1",
      ...(code && { PYTHONPATH: code.folder }),
    },
  };
}
