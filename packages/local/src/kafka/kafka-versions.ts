/**
 * The versions of Apache Kafka that can be started here, and in what they differ for whoever starts them.
 *
 * All of them run on Java 17 and later. Versions before 4.0 answer the clients of their time; those up to 2.8 keep their
 * metadata in a ZooKeeper, which is among the dependencies of their jars.
 */

/** Newest first. */
export const KAFKA_VERSIONS = [
  "4.3",
  "4.0",
  "3.9",
  "3.4",
  "2.8",
  "2.4",
  "1.1",
  "0.11",
  "0.10.2",
  "0.10.1",
] as const;

export type KafkaVersion = (typeof KAFKA_VERSIONS)[number];

export const KAFKA_VERSION_DEFAULT: KafkaVersion = "4.3";

export interface KafkaRelease {
  readonly version: KafkaVersion;
  /** The release that stands for the version, as Maven Central names it. */
  readonly release: string;
  readonly scala: "2.11" | "2.12" | "2.13";
  /** Where the cluster keeps its metadata. */
  readonly metadata: "kraft" | "zookeeper";
  /** What the storage tool turns on beyond its default. */
  readonly features: readonly string[];
  /** Profiles of the pom. */
  readonly profiles: readonly string[];
  /** Absent: no secured listeners, because the version can't read PEM files. */
  readonly authorizer?: string;
  /** A key in a file would have to be encrypted, so it stands in the settings and can't be exchanged. */
  readonly hasKeysInline?: boolean;
  readonly consoleConsumer: ConsoleConsumer;
}

export interface ConsoleConsumer {
  readonly mainClass: string;
  /** The options for a property of the consumer, and for one of what it prints. A deprecated one would print that it is. */
  readonly consumerProperty: string;
  readonly printProperty: string;
}

const SCALA_CONSUMER = {
  mainClass: "kafka.tools.ConsoleConsumer",
  consumerProperty: "--consumer-property",
  printProperty: "--property",
};
const JAVA_CONSUMER = {
  ...SCALA_CONSUMER,
  mainClass: "org.apache.kafka.tools.consumer.ConsoleConsumer",
};
/** From 4.2 on. */
const NEW_CONSUMER = {
  ...JAVA_CONSUMER,
  consumerProperty: "--command-property",
  printProperty: "--formatter-property",
};

const KRAFT = {
  scala: "2.13",
  metadata: "kraft",
  features: [],
  profiles: [],
  authorizer: "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  consoleConsumer: JAVA_CONSUMER,
} as const;

const ZOOKEEPER = {
  scala: "2.12",
  metadata: "zookeeper",
  features: [],
  profiles: [],
  consoleConsumer: SCALA_CONSUMER,
} as const;

const RELEASES: Readonly<Record<KafkaVersion, Omit<KafkaRelease, "version">>> = {
  "4.3": {
    ...KRAFT,
    release: "4.3.0",
    features: ["share.version=1"],
    consoleConsumer: NEW_CONSUMER,
  },
  "4.0": { ...KRAFT, release: "4.0.2" },
  "3.9": { ...KRAFT, release: "3.9.2" },
  "3.4": { ...KRAFT, release: "3.4.1", consoleConsumer: SCALA_CONSUMER },
  "2.8": {
    ...ZOOKEEPER,
    release: "2.8.2",
    scala: "2.13",
    authorizer: "kafka.security.authorizer.AclAuthorizer",
    hasKeysInline: true,
  },
  "2.4": { ...ZOOKEEPER, release: "2.4.1" },
  "1.1": { ...ZOOKEEPER, release: "1.1.1" },
  "0.11": { ...ZOOKEEPER, release: "0.11.0.3", profiles: ["old"] },
  "0.10.2": { ...ZOOKEEPER, release: "0.10.2.2", profiles: ["old"] },
  "0.10.1": { ...ZOOKEEPER, release: "0.10.1.0", scala: "2.11", profiles: ["old"] },
};

export function kafkaRelease(version: KafkaVersion = KAFKA_VERSION_DEFAULT): KafkaRelease {
  return { version, ...RELEASES[version] };
}

/** The release of the default version. */
export const KAFKA_VERSION = RELEASES[KAFKA_VERSION_DEFAULT].release;
