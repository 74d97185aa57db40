/**
 * The program files of the local Kafka: jars by Maven, a class-data archive (halves the start-up time) and a
 * template of the first metadata snapshot (so that no broker has to be formatted by the slow tool).
 *
 *     .cache/kafka-4.3.0/libs/*.jar · bootstrap.checkpoint · classes-<key>.jsa
 *
 * Made once; safe when several processes ask at the same time.
 */
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { PenstockError } from "@penstock/core";
import { withFolderLock } from "../process/folder-lock.ts";
import { freePort } from "../process/free-port.ts";
import { ServerProcess } from "../process/server-process.ts";
import { REPOSITORY_ROOT } from "../repository-root.ts";
import { brokerProperties } from "./broker-properties.ts";
import { clusterId, formatDataFolder } from "./format-data-folder.ts";
import { findJava, JVM_FLAGS } from "./java.ts";
import { isBrokerReady } from "./readiness.ts";

export const KAFKA_VERSION = "4.3.0";

/** Two minutes for Maven on a slow line, and half a minute for the rest. */
const SETUP_LIMIT_MS = 150_000;

export interface KafkaFiles {
  /** `java -cp` value: sorted, because the class-data archive is bound to the order. */
  readonly classPath: string;
  readonly checkpoint: string;
  /** Absent when it could not be made: Kafka then only starts more slowly. */
  readonly classDataArchive: string | undefined;
}

/** Answers at once when everything is there; otherwise makes it and says so through `log`. */
export async function ensureKafkaJars(log: (line: string) => void = () => {}): Promise<KafkaFiles> {
  const home = join(REPOSITORY_ROOT, ".cache", `kafka-${KAFKA_VERSION}`);
  const java = findJava();
  return (
    presentFiles(home, java) ??
    withFolderLock(`${home}.lock`, SETUP_LIMIT_MS, () => setUp(home, java, log))
  );
}

async function setUp(home: string, java: string, log: (line: string) => void): Promise<KafkaFiles> {
  const libs = join(home, "libs");
  if (!existsSync(libs)) {
    log(`Fetching Kafka ${KAFKA_VERSION} by Maven (54 MB, once) …`);
    await fetchJars(libs);
  }
  const classPath = classPathOf(libs);
  const checkpoint = join(home, "bootstrap.checkpoint");
  if (!existsSync(checkpoint)) await makeCheckpoint(java, classPath, checkpoint);
  const archive = archivePath(home, java, classPath);
  if (!existsSync(archive) && !existsSync(`${archive}.failed`)) {
    log("Preparing Kafka's class-data archive (once, ten seconds) …");
    await makeArchive(java, classPath, checkpoint, archive);
  }
  return { classPath, checkpoint, classDataArchive: existsSync(archive) ? archive : undefined };
}

function presentFiles(home: string, java: string): KafkaFiles | undefined {
  const checkpoint = join(home, "bootstrap.checkpoint");
  if (!existsSync(join(home, "libs")) || !existsSync(checkpoint)) return undefined;
  const classPath = classPathOf(join(home, "libs"));
  const archive = archivePath(home, java, classPath);
  if (existsSync(archive)) return { classPath, checkpoint, classDataArchive: archive };
  if (existsSync(`${archive}.failed`))
    return { classPath, checkpoint, classDataArchive: undefined };
  return undefined;
}

function classPathOf(libs: string): string {
  return readdirSync(libs)
    .filter((name) => name.endsWith(".jar"))
    .sort()
    .map((name) => join(libs, name))
    .join(delimiter);
}

/** The archive fits one build of the JVM and one class path, so both are in its name. */
function archivePath(home: string, java: string, classPath: string): string {
  const binary = realpathSync(java);
  const key = createHash("sha256")
    .update(`${binary} ${statSync(binary).mtimeMs} ${classPath}`)
    .digest("hex")
    .slice(0, 16);
  return join(home, `classes-${key}.jsa`);
}

async function fetchJars(libs: string): Promise<void> {
  const part = `${libs}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const pom = join(import.meta.dirname, "..", "..", "kafka", "pom.xml");
  try {
    await promisify(execFile)(
      "mvn",
      ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${part}`],
      { timeout: SETUP_LIMIT_MS },
    );
  } catch (cause) {
    throw new PenstockError(
      "unavailable",
      `Maven could not fetch Kafka's jars. Check that mvn is installed and reaches Maven Central.\n${(cause as { stdout?: string }).stdout ?? ""}`,
      { cause },
    );
  }
  renameSync(part, libs);
}

async function makeCheckpoint(java: string, classPath: string, target: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-kafka-format-"));
  try {
    const properties = join(folder, "format.properties");
    const data = join(folder, "data");
    writeFileSync(properties, brokerProperties({ dataDir: data, port: 1, controllerPort: 2 }));
    await promisify(execFile)(java, [
      ...["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", classPath],
      ...["kafka.tools.StorageTool", "format", "-t", clusterId(randomUUID()), "-c", properties],
      ...["--feature", "share.version=1"],
    ]);
    copyFileSync(join(data, "bootstrap.checkpoint"), `${target}.part`);
    renameSync(`${target}.part`, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a broker once until it is ready and lets the JVM write down the classes that it loaded. */
async function makeArchive(
  java: string,
  classPath: string,
  checkpoint: string,
  target: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-kafka-archive-"));
  const part = `${target}.part`;
  try {
    const data = join(folder, "data");
    const port = await freePort();
    const properties = join(folder, "broker.properties");
    const controllerPort = await freePort();
    writeFileSync(properties, brokerProperties({ dataDir: data, port, controllerPort }));
    formatDataFolder(data, checkpoint);
    const broker = new ServerProcess({
      name: "Kafka",
      command: java,
      arguments: [
        ...JVM_FLAGS,
        ...["-Xmx256m", `-XX:ArchiveClassesAtExit=${part}`, "-cp", classPath, "kafka.Kafka"],
        properties,
      ],
      farewell: "KILL",
      stopSignal: "SIGTERM",
      stopLimitMs: 60_000,
    });
    await broker.ready(() => isBrokerReady(port), 60_000);
    await broker.stop();
    renameSync(part, target);
  } catch {
    // The archive only saves time; a JVM that can't write one shall not be asked at every start.
    writeFileSync(`${target}.failed`, "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
