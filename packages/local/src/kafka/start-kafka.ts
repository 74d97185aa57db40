/**
 * A real Apache Kafka on this machine: one node, loopback only, ready in a second or two.
 *
 * "Ready" means that a consumer group can join. The ports stay the same over {@link LocalKafka.restart}, because a
 * broker's address is part of what its clients know.
 */

import { onFreePorts } from "./broker/on-free-ports.ts";
import { openNode } from "./broker/open-node.ts";
import { ensureKafkaJars } from "./jars/kafka-jars.ts";
import { kafkaRelease } from "./kafka-versions.ts";
import type { LocalKafka, LocalKafkaOptions } from "./local-kafka.ts";

export async function startKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const { version } = options;
  const release = kafkaRelease(version);
  const files = await ensureKafkaJars(options.log, version);
  return onFreePorts([options.port, options.controllerPort], ([port, controllerPort]) =>
    openNode({ ...options, release, files, port, controllerPort }),
  );
}
