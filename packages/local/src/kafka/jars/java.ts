import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { PenstockError } from "@penstock/core";
import type { KafkaFiles } from "./kafka-jars.ts";

const KAFKA_FOLDER = join(import.meta.dirname, "..", "..", "..", "kafka");

/** Small, quick to start, quiet: a program for one machine. */
const JVM_FLAGS: readonly string[] = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:-UsePerfData",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
  "-Djava.awt.headless=true",
];

/** For the versions whose jars bring log4j 1: it says nothing without its settings but that it has none. */
const LOG4J_SETTINGS = `-Dlog4j.configuration=${pathToFileURL(join(KAFKA_FOLDER, "log4j.properties"))}`;
const LOG4J = /[/\\](?:log|reload)4j-1\./;

export interface JavaProgram {
  readonly files: Pick<KafkaFiles, "classPath" | "classDataArchive">;
  readonly mainClass: string;
  readonly args: readonly string[];
  readonly heapMb: number;
  readonly jvmFlags?: readonly string[] | undefined;
}

/** The arguments of `java` that run a program of Kafka's jars. */
export function javaArguments(program: JavaProgram): string[] {
  const { files, mainClass, args, heapMb, jvmFlags = [] } = program;
  const archive = files.classDataArchive;
  return [
    ...JVM_FLAGS,
    ...(LOG4J.test(files.classPath) ? [LOG4J_SETTINGS] : []),
    ...jvmFlags,
    `-Xmx${heapMb}m`,
    ...(archive ? [`-XX:SharedArchiveFile=${archive}`] : []),
    ...["-Xshare:auto", "-cp", files.classPath, mainClass, ...args],
  ];
}

/** Path of the `java` program: of JAVA_HOME when set, else the first on PATH. */
export function findJava(env: NodeJS.ProcessEnv = process.env): string {
  const folders = [
    ...(env.JAVA_HOME ? [join(env.JAVA_HOME, "bin")] : []),
    ...(env.PATH ?? "").split(delimiter),
  ];
  for (const folder of folders) {
    const candidate = join(folder, "java");
    if (folder !== "" && existsSync(candidate)) return candidate;
  }
  throw new PenstockError(
    "unavailable",
    "No Java found. Install a JDK 17 or later, or set JAVA_HOME.",
  );
}
