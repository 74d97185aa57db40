/** Kafka's own console consumer of any version, as a group member beside ours. */
import { type KafkaVersion, kafkaRelease } from "../kafka-versions.ts";
import { runKafkaTool } from "./run-kafka-tool.ts";

export interface JavaConsumerOptions {
  /** Of the consumer; the brokers may have another one. Default: the newest. */
  readonly version?: KafkaVersion;
  readonly bootstrapServers: string;
  readonly topic: string;
  readonly groupId: string;
  /** Of the consumer: `group.protocol`, `partition.assignment.strategy`, `max.poll.records` … Starts at the earliest offset unless said. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** What a line says of its record, as the console consumer knows it: `print.key`, `print.partition`, `print.offset` … */
  readonly print?: Readonly<Record<string, string | number | boolean>>;
  /** A record: its value, unless {@link print} says more. */
  readonly onLine?: (line: string) => void;
  readonly log?: (line: string) => void;
}

export interface JavaConsumer {
  readonly pid: number;
  /** Records so far. */
  readonly received: number;
  readonly exited: Promise<void>;
  /** Commits and leaves the group. */
  stop(): Promise<void>;
  /** SIGKILL: the group finds out by the session's end. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
}

/** Starts it; it joins its group a second or two later. */
export async function startJavaConsumer(options: JavaConsumerOptions): Promise<JavaConsumer> {
  const { bootstrapServers, topic, groupId, print = {} } = options;
  const { version, consoleConsumer } = kafkaRelease(options.version);
  const properties = { "group.id": groupId, ...options.properties };
  // Versions before 1.0 don't listen to the property.
  const isFromBeginning = (options.properties?.["auto.offset.reset"] ?? "earliest") === "earliest";
  let received = 0;
  const consumer = await runKafkaTool(
    version,
    consoleConsumer.mainClass,
    [
      ...["--bootstrap-server", bootstrapServers, "--topic", topic],
      ...(isFromBeginning ? ["--from-beginning"] : []),
      ...pairs(consoleConsumer.consumerProperty, properties),
      ...pairs(consoleConsumer.printProperty, print),
    ],
    {
      log: options.log,
      onLine(line) {
        received++;
        options.onLine?.(line);
      },
    },
  );
  return {
    pid: consumer.pid,
    get received() {
      return received;
    },
    exited: consumer.exited,
    stop: () => consumer.stop(),
    async kill() {
      consumer.kill();
      await consumer.exited;
    },
    pause: () => consumer.pause(),
    resume: () => consumer.resume(),
  };
}

function pairs(option: string, values: Readonly<Record<string, string | number | boolean>>) {
  return Object.entries(values).flatMap(([key, value]) => [option, `${key}=${value}`]);
}
