import { ServerProcess } from "../../process/server-process.ts";
import { findJava, javaArguments } from "../jars/java.ts";
import { ensureKafkaJars } from "../jars/kafka-jars.ts";
import type { KafkaVersion } from "../kafka-versions.ts";

const STOP_LIMIT_MS = 15_000;
const HEAP_MB = 96;

export interface KafkaToolOptions {
  readonly heapMb?: number;
  /** Lines of standard output. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Lines of standard error: warnings, and what a tool says about itself. */
  readonly log?: ((line: string) => void) | undefined;
}

/**
 * Starts a Java program of a version's jars, `org.apache.kafka.tools.TopicCommand` for one, and doesn't wait for its end:
 * {@link ServerProcess.exited} tells. It doesn't outlive this process.
 */
export async function runKafkaTool(
  version: KafkaVersion,
  mainClass: string,
  args: readonly string[],
  { heapMb = HEAP_MB, onLine, log }: KafkaToolOptions = {},
): Promise<ServerProcess> {
  const files = await ensureKafkaJars(log, version);
  return new ServerProcess({
    name: mainClass,
    command: findJava(),
    arguments: javaArguments({ files, mainClass, args, heapMb }),
    farewell: "KILL",
    stopSignal: "SIGTERM",
    stopLimitMs: STOP_LIMIT_MS,
    onLine: (line, isError) => (isError ? log : onLine)?.(line),
  });
}
