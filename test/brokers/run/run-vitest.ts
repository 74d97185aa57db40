/** One run of vitest, shown as it goes; what its JSON report says. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY_ROOT } from "@penstock/local";

export interface TestOutcome {
  readonly file: string;
  /** Titles of the groups that it is in, outermost first. */
  readonly groups: readonly string[];
  readonly title: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly durationMs: number;
  readonly reason: string;
}

export interface RunOutcome {
  readonly tests: readonly TestOutcome[];
  /** Files and runs that broke without a failed test to show for it. */
  readonly broken: readonly string[];
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly duration?: number;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const REASON_LINES_MAX = 8;

export async function runVitest(
  project: string,
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  report: string,
): Promise<RunOutcome> {
  const config = join(REPOSITORY_ROOT, "test", "brokers", "vitest.config.ts");
  const vitest = join(REPOSITORY_ROOT, "node_modules", "vitest", "vitest.mjs");
  const child = spawn(
    process.execPath,
    [
      ...[vitest, "run", "--config", config, "--project", project, ...files],
      ...["--passWithNoTests", "--reporter=default", "--reporter=json"],
      `--outputFile.json=${report}`,
    ],
    {
      cwd: REPOSITORY_ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  const isGreen = await new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
  const outcome = readReport(report);
  const hasFailed = outcome.tests.some(({ status }) => status === "failed");
  if (isGreen || hasFailed || outcome.broken.length > 0) return outcome;
  return { ...outcome, broken: [`${project}: the run itself`] };
}

function readReport(path: string): RunOutcome {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return { tests: [], broken: [] }; // the run broke before it could report: its exit code says so
  }
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(
      ({ ancestorTitles, title, status, duration = 0, failureMessages = [] }): TestOutcome => ({
        file: name,
        groups: ancestorTitles,
        title,
        status: status === "passed" || status === "failed" ? status : "skipped",
        durationMs: duration,
        reason: failureMessages.join("\n").split("\n").slice(0, REASON_LINES_MAX).join("\n"),
      }),
    ),
  );
  const broken = report.testResults
    .filter(({ status, assertionResults }) => {
      const isShown = assertionResults.some((test) => test.status === "failed");
      return status === "failed" && !isShown;
    })
    .map(({ name, message = "" }) => `${name}\n${message}`);
  return { tests, broken };
}
