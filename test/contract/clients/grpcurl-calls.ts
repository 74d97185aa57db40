/**
 * One sensible request for each method that a Penstock serves, in an order in which they make sense: a mapping is created, looked at from all
 * sides, changed and deleted. A new method without a line here fails the test.
 */

export interface CallContext {
  readonly kafka: string;
  readonly topic: string;
  readonly functionUrl: string;
  /** Of the mapping, once it was created. */
  readonly uuid: string;
  readonly arn: string;
  readonly nodeId: string;
}

export interface GrpcurlCall {
  readonly method: string;
  /** The request; several for a stream of requests. */
  readonly request: (context: CallContext) => object | readonly object[];
  /** What the answer must contain. */
  readonly says?: RegExp;
  /** A stream that goes on until the caller ends it. */
  readonly isEndless?: boolean;
  /** Repeated until the answer says so: the state has to be reached first. */
  readonly isAwaited?: boolean;
}

const uuid = ({ uuid }: CallContext): object => ({ uuid });
const NAME = "by-grpcurl";
const MAPPING = "penstock.mapping.v1.MappingService";
const FUNCTION = "penstock.mapping.v1.FunctionService";
const PATTERN = '{"value":{"amount":[{"numeric":[">",5]}]}}';

const createRequest = ({ kafka, topic }: CallContext): object => ({
  functionName: NAME,
  topics: [topic],
  selfManagedEventSource: { endpoints: { kafkaBootstrapServers: [kafka] } },
  batchSize: 10,
  maximumBatchingWindow: "0.1s",
  requestId: "create-1",
});

export const CALLS: readonly GrpcurlCall[] = [
  { method: "grpc.health.v1.Health/Check", request: () => ({}), says: /SERVING/ },
  {
    method: "grpc.health.v1.Health/Watch",
    request: () => ({}),
    says: /SERVING/,
    isEndless: true,
  },
  { method: "grpc.health.v1.Health/List", request: () => ({}), says: /"statuses"/ },
  ...["v1", "v1alpha"].map((version) => ({
    method: `grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    request: () => ({ listServices: "*" }),
    says: /"grpc.health.v1.Health"/,
  })),
  {
    method: `${FUNCTION}/PutFunction`,
    request: ({ functionUrl }) => ({ function: { name: NAME, http: { url: functionUrl } } }),
    says: /"revision": "1"/,
  },
  { method: `${FUNCTION}/GetFunction`, request: () => ({ name: NAME }), says: /"url"/ },
  { method: `${FUNCTION}/ListFunctions`, request: () => ({}), says: /"by-grpcurl"/ },
  {
    method: `${MAPPING}/ValidateEventSourceMapping`,
    request: (context) => ({ create: createRequest(context), reachBrokers: true }),
    says: /"partitions": 2/,
  },
  {
    method: `${MAPPING}/CreateEventSourceMapping`,
    request: createRequest,
    says: /MAPPING_STATE_CREATING/,
  },
  {
    method: `${MAPPING}/GetEventSourceMapping`,
    request: uuid,
    says: /MAPPING_STATE_ENABLED/,
    isAwaited: true,
  },
  { method: `${MAPPING}/ListEventSourceMappings`, request: () => ({}), says: /"uuid"/ },
  {
    method: `${MAPPING}/WatchEventSourceMapping`,
    request: uuid,
    says: /MAPPING_STATE_ENABLED/,
    isEndless: true,
  },
  {
    method: `${MAPPING}/ExplainEventSourceMapping`,
    request: uuid,
    says: /"partitions"/,
    isAwaited: true,
  },
  { method: `${MAPPING}/ListEventSourceMappingEvents`, request: uuid, says: /"created"/ },
  {
    method: `${MAPPING}/TestFilter`,
    request: ({ topic }) => ({
      filterCriteria: { filters: [{ pattern: PATTERN }] },
      records: [4, 6].map((amount, offset) => ({
        value: Buffer.from(JSON.stringify({ amount })).toString("base64"),
        topic,
        offset,
      })),
    }),
    says: /"matches": true/,
  },
  {
    method: `${MAPPING}/TagResource`,
    request: ({ arn }) => ({ resource: arn, tags: { team: "orders" } }),
  },
  {
    method: `${MAPPING}/ListTags`,
    request: ({ arn }) => ({ resource: arn }),
    says: /"team": "orders"/,
  },
  {
    method: `${MAPPING}/UntagResource`,
    request: ({ arn }) => ({ resource: arn, tagKeys: ["team"] }),
  },
  {
    method: "penstock.fleet.v1.FleetService/GetPositions",
    request: ({ uuid, nodeId: topicId }) => ({ mappingId: uuid, topicId, partitions: [0] }),
  },
  {
    method: "penstock.poller.v1.PollerService/DescribePoller",
    request: ({ uuid }) => ({ mappingId: uuid }),
    says: /EVENT_POLLER_STATE_RUNNING/,
    isAwaited: true,
  },
  {
    method: "penstock.invoker.v1.InvokerService/Invoke",
    request: () => ({ functionName: NAME, payload: base64('{"records":{}}') }),
    says: /OUTCOME_KIND_SUCCESS/,
  },
  {
    method: "penstock.invoker.v1.InvokerService/InvokeStream",
    request: ({ uuid }) => ({
      correlationId: "1",
      functionName: NAME,
      functionRevision: "1",
      payloadFormat: "PAYLOAD_FORMAT_LAMBDA_JSON",
      requestId: "by-grpcurl-1",
      mappingId: uuid,
      attempt: 1,
      recordCount: 0,
      timeoutMs: 5_000,
      payload: base64('{"records":{}}'),
    }),
    says: /OUTCOME_KIND_SUCCESS/,
    isEndless: true,
  },
  {
    method: `${MAPPING}/UpdateEventSourceMapping`,
    request: ({ uuid }) => ({ uuid, batchSize: 20 }),
    says: /"batchSize": 20/,
    isAwaited: true,
  },
  {
    method: `${MAPPING}/DeleteEventSourceMapping`,
    request: uuid,
    says: /MAPPING_STATE_DELETING/,
  },
  { method: `${FUNCTION}/DeleteFunction`, request: () => ({ name: NAME }) },
  {
    method: "penstock.fleet.v1.FleetService/Join",
    request: ({ nodeId }) => ({
      hello: { nodeId, kind: "NODE_KIND_INVOKER", address: "127.0.0.1:9", version: "0" },
    }),
    says: /"welcome"/,
    isEndless: true,
  },
  { method: "penstock.poller.v1.PollerService/Drain", request: () => ({}) },
];

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
