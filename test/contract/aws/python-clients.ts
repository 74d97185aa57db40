/** The AWS CLI and boto3 as they come from PyPI, against an endpoint. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ensurePython, runTool } from "@penstock/local";

export interface CliAnswer {
  readonly code: number;
  readonly output: string;
  readonly error: string;
}

interface Boto3Answer {
  // biome-ignore lint/suspicious/noExplicitAny: the shape is AWS's, and what a test expects of it is what it is about
  readonly result?: any;
  readonly status?: number;
  readonly requestId?: string;
  readonly error?: {
    readonly type: string;
    readonly message: string;
    readonly class?: string;
    readonly status?: number;
    readonly requestId?: string;
  };
}

export interface PythonClients {
  /** `aws <arguments>` in the process that is already there. */
  cli(...args: readonly string[]): Promise<CliAnswer>;
  /** The program `aws` itself. */
  program(...args: readonly string[]): Promise<string>;
  boto3(operation: string, parameters?: object): Promise<Boto3Answer>;
  /** All pages of ListEventSourceMappings, by boto3's paginator. */
  pages(parameters: object, pageSize: number): Promise<readonly (readonly object[])[]>;
  stop(): Promise<void>;
}

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const PROGRAM = join(import.meta.dirname, "aws_clients.py");

/** What a user sets, and that nothing of this machine's own AWS set-up is read. */
export function awsEnvironment(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    AWS_CONFIG_FILE: "/nonexistent",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

export async function startPythonClients(endpoint: string): Promise<PythonClients> {
  const { python, bin } = await ensurePython(REQUIREMENTS);
  const env = { ...process.env, ...awsEnvironment(endpoint) };
  const child = spawn(python, [PROGRAM], { env, stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other: answers come in the order of the questions. */
  function ask<T>(command: object): Promise<T> {
    const answer = last.then(async () => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the Python process has ended; see what it said");
      return JSON.parse(value) as T;
    });
    last = answer.catch(() => {});
    return answer;
  }

  return {
    cli: (...args) => ask<CliAnswer>({ cli: args }),
    program: (...args) => runTool(join(bin, "aws"), args, { env: awsEnvironment(endpoint) }),
    boto3: (operation, parameters = {}) => ask<Boto3Answer>({ operation, parameters }),
    pages: async (parameters, pageSize) =>
      (await ask<{ result: object[][] }>({ parameters, pageSize })).result,
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}
