/**
 * What `npm start` and `npm test` need before anything else can run. Plain JavaScript for Node 20, no dependencies:
 * it runs before there are any.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Node 24, as npm has installed it. */
export const NODE = join(ROOT, "node_modules", "node", "bin", "node");

const NODE_MAJOR_MIN = 20;
const JAVA_MAJOR_MIN = 17;

/** The environment in which `node`, `vitest`, `buf` … are those of this repository. */
export const TOOL_ENV = {
  ...process.env,
  PATH: [join(ROOT, "node_modules", ".bin"), process.env.PATH ?? ""].join(delimiter),
};

/** Ends the process with a message for the user. */
export function giveUp(message) {
  process.stderr.write(`\n${message}\n`);
  process.exit(1);
}

/** Runs `npm ci` unless the installed tree is what the lockfile says. */
export function ensureInstalled() {
  if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
    giveUp(`Penstock needs Node ${NODE_MAJOR_MIN} or later to start; this is ${process.version}.`);
  }
  if (isInstalled()) return;
  process.stdout.write("Installing the packages of package-lock.json (npm ci) …\n");
  const { status, error } = spawnSync(
    "npm",
    ["ci", "--no-fund", "--no-audit", "--loglevel=error"],
    {
      cwd: ROOT,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  if (error !== undefined) giveUp(`npm can't be started (${error.message}). It comes with Node.`);
  if (status !== 0) giveUp("npm ci failed: see above.");
  if (!existsSync(NODE)) {
    giveUp(
      "npm did not install Node 24 (package `node`): its install script was not allowed to run.\n" +
        "Run `npm config get ignore-scripts`; it should say false.",
    );
  }
}

/** Compares npm's own record of what it installed with the lockfile. */
function isInstalled() {
  if (!existsSync(NODE)) return false;
  try {
    const wanted = readPackages(join(ROOT, "package-lock.json"));
    const installed = readPackages(join(ROOT, "node_modules", ".package-lock.json"));
    return Object.entries(wanted).every(([path, { version, optional, link }]) => {
      if (!path.startsWith("node_modules/")) return true;
      // Optional packages are for other machines, mostly.
      if (installed[path] === undefined) return optional === true;
      return link === true || installed[path].version === version;
    });
  } catch {
    return false; // no record: nothing was installed, or not completely
  }
}

function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** Says what is missing for the local Kafka, or undefined when all is there. */
export function missingForKafka() {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", "java") : "java";
  const { stderr, error } = spawnSync(java, ["-version"], { encoding: "utf8" });
  // openjdk version "17.0.15" …; up to Java 8 the first number is 1.
  const major = Number(/version "(\d+)/.exec(stderr ?? "")?.[1] ?? 0);
  if (error !== undefined || major === 0) return "no Java was found";
  if (major < JAVA_MAJOR_MIN) return `this Java is version ${major}`;
  if (hasKafkaJars()) return undefined;
  if (spawnSync("mvn", ["-v"]).error !== undefined) {
    return "Maven was not found (mvn fetches Kafka's jars, once)";
  }
  return undefined;
}

function hasKafkaJars() {
  const pom = readFileSync(join(ROOT, "packages", "local", "kafka", "pom.xml"), "utf8");
  const version = /<kafka\.version>(.+)<\/kafka\.version>/.exec(pom)?.[1];
  const libs = join(ROOT, ".cache", `kafka-${version}`, "libs");
  return existsSync(libs) && readdirSync(libs).length > 0;
}
