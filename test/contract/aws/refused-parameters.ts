/**
 * What a create with these members is told, member by member of AWS's model: just beyond each limit, each enum, what is of other sources. `at` is a broken
 * constraint of the model (ValidationException at that member); `says` is a rule of the service (InvalidParameterValueException).
 */
export interface RefusedParameter {
  readonly members: object;
  readonly at?: string;
  readonly says?: string;
}

const pollers = (config: object) => ({ ProvisionedPollerConfig: config });
const kafka = (config: object) => ({ SelfManagedKafkaEventSourceConfig: config });
const brokers = (...servers: string[]) => ({
  SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: servers } },
});
const filters = (...patterns: string[]) => ({
  FilterCriteria: { Filters: patterns.map((Pattern) => ({ Pattern })) },
});
const access = (entry: object, count = 1) => ({
  SourceAccessConfigurations: Array(count).fill(entry),
});
const times = (text: string, count: number) => text.repeat(count);
const ENDPOINTS = "selfManagedEventSource.endpoints";
const ACCESS = "sourceAccessConfigurations";
const unsupported = (member: string) =>
  `Unsupported ${member} parameter for given event source mapping type.`;

const CONSTRAINTS: readonly [members: object, at: string][] = [
  [{ FunctionName: null }, "functionName"],
  [{ FunctionName: "" }, "functionName"],
  [{ FunctionName: "a b" }, "functionName"],
  [{ FunctionName: times("x", 65) }, "functionName"],
  [{ FunctionName: times("x", 257) }, "functionName"],
  [{ Topics: [] }, "topics"],
  [{ Topics: ["aa", "bb"] }, "topics"],
  [{ Topics: [".x"] }, "topics"],
  [{ Topics: [times("x", 250)] }, "topics"],
  [brokers(), ENDPOINTS],
  [brokers("no-port"), ENDPOINTS],
  [brokers(...Array<string>(11).fill("a:1")), ENDPOINTS],
  [{ SelfManagedEventSource: { Endpoints: { KafkaBootstrapServers: ["a:1"] } } }, ENDPOINTS],
  [{ BatchSize: 0 }, "batchSize"],
  [{ BatchSize: 10_001 }, "batchSize"],
  [{ MaximumBatchingWindowInSeconds: -1 }, "maximumBatchingWindowInSeconds"],
  [{ MaximumBatchingWindowInSeconds: 301 }, "maximumBatchingWindowInSeconds"],
  [{ StartingPosition: "FOO" }, "startingPosition"],
  [access({ Type: "FOO", URI: "x" }), `${ACCESS}.1.member.type`],
  [access({ URI: "x" }), `${ACCESS}.1.member.type`],
  [access({ Type: "BASIC_AUTH", URI: "" }), `${ACCESS}.1.member.uRI`],
  [access({ Type: "VPC_SUBNET", URI: "subnet:a" }, 24), ACCESS],
  [pollers({ MinimumPollers: 0 }), "provisionedPollerConfig.minimumPollers"],
  [pollers({ MinimumPollers: 201 }), "provisionedPollerConfig.minimumPollers"],
  [pollers({ MaximumPollers: 10_001 }), "provisionedPollerConfig.maximumPollers"],
  [pollers({ PollerGroupName: "a b" }), "provisionedPollerConfig.pollerGroupName"],
  [filters(times("x", 4097)), "filterCriteria.filters.1.member.pattern"],
  [{ KMSKeyArn: "x" }, "kMSKeyArn"],
  [
    { DestinationConfig: { OnFailure: { Destination: "http://x" } } },
    "destinationConfig.onFailure.destination",
  ],
  [{ MaximumRetryAttempts: -2 }, "maximumRetryAttempts"],
  [{ MaximumRetryAttempts: 10_001 }, "maximumRetryAttempts"],
  [{ MaximumRecordAgeInSeconds: -2 }, "maximumRecordAgeInSeconds"],
  [{ MaximumRecordAgeInSeconds: 604_801 }, "maximumRecordAgeInSeconds"],
  [{ FunctionResponseTypes: ["FOO"] }, "functionResponseTypes"],
  [{ MetricsConfig: { Metrics: ["FOO"] } }, "metricsConfig.metrics"],
  [{ LoggingConfig: { SystemLogLevel: "FOO" } }, "loggingConfig.systemLogLevel"],
  [kafka({ ConsumerGroupId: "" }), "selfManagedKafkaEventSourceConfig.consumerGroupId"],
  [kafka({ ConsumerGroupId: "a!" }), "selfManagedKafkaEventSourceConfig.consumerGroupId"],
  [kafka({ ConsumptionMode: "FOO" }), "selfManagedKafkaEventSourceConfig.consumptionMode"],
  [{ Tags: { "": "x" } }, "tags"],
  [{ Tags: { a: times("x", 257) } }, "tags"],
];

const RULES: readonly [members: object, says: string][] = [
  [{ FunctionName: "nobody" }, "Function does not exist"],
  [{ SelfManagedEventSource: null }, "Unrecognized event source."],
  [{ SelfManagedEventSource: { Endpoints: {} } }, "Unrecognized event source."],
  [{ Topics: null }, "Required 'topics' parameter is missing."],
  [
    { StartingPosition: "AT_TIMESTAMP" },
    "Required 'startingPositionTimestamp' parameter is missing.",
  ],
  [
    { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: 4e9 },
    "The 'startingPositionTimestamp' parameter must not be in the future.",
  ],
  [filters('{"k":"v"}'), "Invalid filter pattern definition."],
  [filters("not JSON"), "Invalid filter pattern definition."],
  [{ FilterCriteria: { Filters: [{}] } }, "Invalid filter pattern definition."],
  [filters(...Array<string>(6).fill("{}")), "The number of filters exceeds the limit of 5."],
  [
    { DestinationConfig: { OnSuccess: { Destination: "arn:aws:sqs:us-east-1:0:q" } } },
    unsupported("DestinationConfig"),
  ],
  [{ FunctionResponseTypes: ["ReportBatchItemFailures"] }, unsupported("FunctionResponseTypes")],
  ...[
    "ScalingConfig",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
    "Queues",
    "DocumentDBEventSourceConfig",
    "AmazonManagedKafkaEventSourceConfig",
  ].map((name): [object, string] => [{ [name]: {} }, unsupported(name)]),
  [
    kafka({ ConsumptionMode: "Queue" }),
    "Unsupported 'ConsumptionMode' parameter for given event source mapping type",
  ],
];

export const REFUSED_PARAMETERS: readonly RefusedParameter[] = [
  ...CONSTRAINTS.map(([members, at]) => ({ members, at })),
  ...RULES.map(([members, says]) => ({ members, says })),
];

/** Rules whose words are Penstock's own: that AWS refuses these is known, its text is not. */
export const REFUSED_SOMEHOW: readonly object[] = [
  { StartingPosition: "LATEST", StartingPositionTimestamp: 1 },
  { EventSourceArn: "arn:aws:kafka:us-east-1:000000000000:cluster/c/1" },
  { MaximumRecordAgeInSeconds: 59 },
  { KMSKeyArn: "arn:aws:kms:us-east-1:000000000000:key/unknown" },
  pollers({ MaximumPollers: 2001 }),
  pollers({ MinimumPollers: 5, MaximumPollers: 4 }),
  kafka({ SchemaRegistryConfig: { SchemaRegistryURI: "https://registry" } }),
  access({ Type: "BASIC_AUTH" }),
  access({ Type: "IAM_AUTH" }),
  access({ Type: "VIRTUAL_HOST", URI: "x" }),
];
