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
/** AWS: MaximumPollers 1..2000 for Kafka, default 200. */
export const MAXIMUM_POLLERS_DEFAULT = 200;

/** Own. */
export const FUNCTION_URL_LENGTH_MAX = 2048;
export const FUNCTION_HEADERS_MAX = 32;
export const FUNCTION_HEADER_NAME_LENGTH_MAX = 256;
export const FUNCTION_HEADER_VALUE_LENGTH_MAX = 8192;
export const FUNCTION_ADDRESS_LENGTH_MAX = 300;
export const FUNCTION_CONCURRENCY_MAX = 100_000;
