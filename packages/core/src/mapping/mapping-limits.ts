/**
 * Every limit of a mapping's and a function's settings, with its source: AWS = the API model of Lambda (botocore `lambda` 2015-03-31
 * and the Lambda Developer Guide, "Self-managed Apache Kafka"), RFC = the standard named, own = Penstock's.
 */

/** AWS: FunctionName 1..256. */
export const FUNCTION_REFERENCE_LENGTH_MAX = 256;
/** AWS: a name alone has at most 64 characters. */
export const FUNCTION_NAME_LENGTH_MAX = 64;
/** AWS: Endpoints.KAFKA_BOOTSTRAP_SERVERS, 1..10 of 1..300 characters. */
export const BOOTSTRAP_SERVERS_MAX = 10;
export const BOOTSTRAP_SERVER_LENGTH_MAX = 300;
/** AWS: Topics, exactly one. */
export const TOPICS_MAX = 1;
/** AWS and Kafka: 249 characters. */
export const TOPIC_LENGTH_MAX = 249;
/** AWS: ConsumerGroupId 1..200. */
export const CONSUMER_GROUP_ID_LENGTH_MAX = 200;
/** AWS: BatchSize 1..10 000, default 100. */
export const BATCH_SIZE_MAX = 10_000;
export const BATCH_SIZE_DEFAULT = 100;
/** AWS: MaximumBatchingWindowInSeconds 0..300, default 500 ms; whole ms are Penstock's. */
export const BATCHING_WINDOW_MAX_MS = 300_000;
export const BATCHING_WINDOW_DEFAULT_MS = 500;
/** AWS: MinimumPollers 1..200, default 1. */
export const MINIMUM_POLLERS_MAX = 200;
export const MINIMUM_POLLERS_DEFAULT = 1;

/** AWS: MaximumPollers 1..2 000 for Kafka, default 200; the API model, shared with other sources, says 10 000. */
export const MAXIMUM_POLLERS_MAX = 2000;
export const MAXIMUM_POLLERS_MODEL_MAX = 10_000;
export const MAXIMUM_POLLERS_DEFAULT = 200;
/** AWS: PollerGroupName 0..128. */
export const POLLER_GROUP_NAME_LENGTH_MAX = 128;
/** AWS: SourceAccessConfigurations 0..23, their URI 1..200. */
export const SOURCE_ACCESS_MAX = 23;
export const SOURCE_ACCESS_URI_LENGTH_MAX = 200;
/** AWS: KMSKeyArn 0..10 000. */
export const KMS_KEY_ARN_LENGTH_MAX = 10_000;
/** AWS: Destination 0..350. */
export const DESTINATION_LENGTH_MAX = 350;
/** AWS: MaximumRetryAttempts -1..10 000. */
export const RETRY_ATTEMPTS_MAX = 10_000;
/** AWS: MaximumRecordAgeInSeconds -1 or 60..604 800. */
export const RECORD_AGE_MIN_SECONDS = 60;
export const RECORD_AGE_MAX_SECONDS = 604_800;
/** AWS: MetricsConfig.Metrics 0..3. */
export const METRICS_MAX = 3;
/** AWS: 50 tags of a resource, keys 1..128, values 0..256. */
export const TAGS_MAX = 50;
export const TAG_KEYS_MAX = 50;
export const TAG_KEY_LENGTH_MAX = 128;
export const TAG_VALUE_LENGTH_MAX = 256;
/** AWS: TaggableResource 1..256. */
export const RESOURCE_ARN_LENGTH_MAX = 256;
/** Own: paths of an update mask. */
export const MASK_PATHS_MAX = 100;

/** Own. */
export const FUNCTION_URL_LENGTH_MAX = 2048;
export const FUNCTION_HEADERS_MAX = 32;
export const FUNCTION_HEADER_NAME_LENGTH_MAX = 256;
export const FUNCTION_HEADER_VALUE_LENGTH_MAX = 8192;
export const FUNCTION_ADDRESS_LENGTH_MAX = 300;
export const FUNCTION_CONCURRENCY_MAX = 100_000;
