/**
 * The constraints of AWS's API model that a mapping's request has: botocore `lambda` 2015-03-31, and for what is newer the JavaScript SDK and the
 * CloudFormation schema. Each is compared with the value that `mapping-limits.ts` names.
 */

import {
  BATCH_SIZE_MAX,
  BOOTSTRAP_SERVER_LENGTH_MAX,
  BOOTSTRAP_SERVERS_MAX,
  CONSUMER_GROUP_ID_LENGTH_MAX,
  DESTINATION_LENGTH_MAX,
  FUNCTION_REFERENCE_LENGTH_MAX,
  KMS_KEY_ARN_LENGTH_MAX,
  MAXIMUM_POLLERS_MODEL_MAX,
  METRICS_MAX,
  MINIMUM_POLLERS_MAX,
  POLLER_GROUP_NAME_LENGTH_MAX,
  RESOURCE_ARN_LENGTH_MAX,
  RETRY_ATTEMPTS_MAX,
  SOURCE_ACCESS_MAX,
  SOURCE_ACCESS_URI_LENGTH_MAX,
  TAG_KEY_LENGTH_MAX,
  TAG_KEYS_MAX,
  TAG_VALUE_LENGTH_MAX,
  TOPIC_LENGTH_MAX,
  TOPICS_MAX,
} from "../mapping-limits.ts";
import type { RangeRule, TextRule } from "./constraints.ts";

/** Characters of the model's shape URI. */
const URI = {
  lengthMin: 1,
  pattern: /^[ a-zA-Z0-9\-/*:_+=.@]*$/,
  awsPattern: "[ a-zA-Z0-9-\\/*:_+=.@-]*",
};
const REGION = "((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})";
/** Tags, in the tagging APIs of AWS. */
const TAG = {
  pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u,
  awsPattern: "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)",
};

export const TEXTS = {
  /** NamespacedFunctionName; the pattern is read by function-reference.ts. */
  functionName: {
    lengthMin: 1,
    lengthMax: FUNCTION_REFERENCE_LENGTH_MAX,
    pattern:
      /^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d:)?(?:\d{12}:)?(?:function:)?([a-zA-Z0-9\-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9\-_]+))?$/,
    awsPattern: `(arn:(aws[a-zA-Z-]*)?:lambda:)?(${REGION.slice(1, -1)}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`,
    words:
      "must be the name of a function (1 to 64 characters of [a-zA-Z0-9-_.]), a partial ARN or an ARN, with :version or :alias if wanted, " +
      `at most ${FUNCTION_REFERENCE_LENGTH_MAX} characters in all`,
  },
  /** Endpoint. */
  endpoint: {
    lengthMin: 1,
    lengthMax: BOOTSTRAP_SERVER_LENGTH_MAX,
    pattern:
      /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?:[0-9]{1,5}$/,
    awsPattern:
      "(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]*[a-zA-Z0-9])\\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\\-]*[A-Za-z0-9]):[0-9]{1,5}",
    words: `must be one host:port of at most ${BOOTSTRAP_SERVER_LENGTH_MAX} characters (several servers are several entries)`,
  },
  /** Topic. Narrower than AWS's pattern in its first character, which Kafka restricts like the others. */
  topic: {
    lengthMin: 1,
    lengthMax: TOPIC_LENGTH_MAX,
    pattern: /^[a-zA-Z0-9_-][a-zA-Z0-9._-]*$/,
    awsPattern: "[^.]([a-zA-Z0-9\\-_.]+)",
    words: `must have 1 to ${TOPIC_LENGTH_MAX} characters of [a-zA-Z0-9._-] and not begin with a dot`,
  },
  consumerGroupId: {
    ...URI,
    lengthMax: CONSUMER_GROUP_ID_LENGTH_MAX,
    words: `must have 1 to ${CONSUMER_GROUP_ID_LENGTH_MAX} characters of [ a-zA-Z0-9-/*:_+=.@]`,
  },
  sourceAccessUri: {
    ...URI,
    lengthMax: SOURCE_ACCESS_URI_LENGTH_MAX,
    words: `must have 1 to ${SOURCE_ACCESS_URI_LENGTH_MAX} characters of [ a-zA-Z0-9-/*:_+=.@]: a reference to a secret, or the literal value of its type`,
    isHidden: true,
  },
  kmsKeyArn: {
    lengthMin: 0,
    lengthMax: KMS_KEY_ARN_LENGTH_MAX,
    pattern: /^(?:arn:(?:aws[a-zA-Z-]*)?:[a-z0-9\-.]+:[^\0\r\n]*)?$/,
    awsPattern: "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()",
    words: "must be the ARN of a key, or empty",
  },
  /** DestinationArn. The topic's first character is Kafka's, as above. */
  destination: {
    lengthMin: 0,
    lengthMax: DESTINATION_LENGTH_MAX,
    pattern:
      /^(?:|kafka:\/\/[a-zA-Z0-9_-][a-zA-Z0-9\-_.]{0,248}|arn:aws[a-zA-Z0-9-]*:[a-zA-Z0-9-]+:(?:(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d)?:(?:\d{12})?:[^\0\r\n]*)$/,
    awsPattern: `$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:${REGION}?:(\\d{12})?:(.*)`,
    words: `must be kafka://topic, the ARN of an SQS queue, an SNS topic or an S3 bucket, of at most ${DESTINATION_LENGTH_MAX} characters, or empty`,
  },
  pollerGroupName: {
    lengthMin: 0,
    lengthMax: POLLER_GROUP_NAME_LENGTH_MAX,
    pattern: /^[a-zA-Z0-9\-_]*$/,
    awsPattern: "[a-zA-Z0-9-_]*",
    words: `must have at most ${POLLER_GROUP_NAME_LENGTH_MAX} characters of [a-zA-Z0-9-_]`,
  },
  tagKey: {
    ...TAG,
    lengthMin: 1,
    lengthMax: TAG_KEY_LENGTH_MAX,
    words: `must have keys of 1 to ${TAG_KEY_LENGTH_MAX} letters, digits, blanks and _.:/=+-@`,
  },
  tagValue: {
    ...TAG,
    lengthMin: 0,
    lengthMax: TAG_VALUE_LENGTH_MAX,
    words: `must have values of at most ${TAG_VALUE_LENGTH_MAX} letters, digits, blanks and _.:/=+-@`,
  },
  /** TaggableResource. */
  resource: {
    lengthMin: 1,
    lengthMax: RESOURCE_ARN_LENGTH_MAX,
    pattern:
      /^arn:aws[a-zA-Z-]*:lambda:(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d:\d{12}:(?:function:[a-zA-Z0-9\-_]+(?::(?:\$LATEST|[a-zA-Z0-9\-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9\-_]+)$/,
    awsPattern: `arn:(aws[a-zA-Z-]*):lambda:${REGION}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)`,
    words:
      "must be the ARN of a mapping, arn:aws:lambda:<region>:<account>:event-source-mapping:<uuid>",
  },
  uuid: {
    lengthMin: 36,
    lengthMax: 36,
    pattern: /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/,
    awsPattern: "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    words: "must be the UUID of a mapping",
  },
} as const satisfies Record<string, TextRule>;

export const RANGES = {
  batchSize: { field: "batch_size", member: "batchSize", min: 1, max: BATCH_SIZE_MAX },
  minimumPollers: {
    field: "provisioned_poller_config.minimum_pollers",
    member: "provisionedPollerConfig.minimumPollers",
    min: 1,
    max: MINIMUM_POLLERS_MAX,
  },
  maximumPollers: {
    field: "provisioned_poller_config.maximum_pollers",
    member: "provisionedPollerConfig.maximumPollers",
    min: 1,
    max: MAXIMUM_POLLERS_MODEL_MAX,
  },
  maximumRetryAttempts: {
    field: "maximum_retry_attempts",
    member: "maximumRetryAttempts",
    min: -1,
    max: RETRY_ATTEMPTS_MAX,
  },
} as const satisfies Record<string, RangeRule>;

export const LISTS = {
  topics: { field: "topics", member: "topics", min: 1, max: TOPICS_MAX },
  bootstrapServers: {
    field: "self_managed_event_source.endpoints.kafka_bootstrap_servers",
    member: "selfManagedEventSource.endpoints",
    min: 1,
    max: BOOTSTRAP_SERVERS_MAX,
  },
  sourceAccess: {
    field: "source_access_configurations",
    member: "sourceAccessConfigurations",
    min: 0,
    max: SOURCE_ACCESS_MAX,
  },
  metrics: {
    field: "metrics_config.metrics",
    member: "metricsConfig.metrics",
    min: 0,
    max: METRICS_MAX,
  },
  tagKeys: { field: "tag_keys", member: "tagKeys", min: 1, max: TAG_KEYS_MAX },
} as const satisfies Record<string, RangeRule>;
