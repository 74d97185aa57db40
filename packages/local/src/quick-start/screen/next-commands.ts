import { TOPIC } from "../demo/demo-flow.ts";

export interface CommandTargets {
  mappingGrpc: string;
  pollerGrpc: string;
  httpFunctionPort: number;
  bootstrapServers: string;
  pollerPid: number;
}

/** What to try next, each with a comment, ready to be pasted into a shell. */
export function nextCommands(targets: CommandTargets): readonly (readonly [string, string])[] {
  const { mappingGrpc, pollerGrpc, httpFunctionPort, bootstrapServers, pollerPid } = targets;
  const definition = {
    function: { name: "big-orders", http: { url: `http://127.0.0.1:${httpFunctionPort}/` } },
  };
  const mapping = {
    functionName: "big-orders",
    selfManagedEventSource: { endpoints: { kafkaBootstrapServers: bootstrapServers.split(",") } },
    topics: [TOPIC],
    filterCriteria: { filters: [{ pattern: '{"value":{"amount":[{"numeric":[">",400]}]}}' }] },
  };
  const api = "penstock.mapping.v1";
  return [
    ["what there is to call", `grpcurl -plaintext ${mappingGrpc} list`],
    [
      "a mapping of your own: orders over 400 to a third function",
      `grpcurl -plaintext -d '${JSON.stringify(definition)}' ${mappingGrpc} ${api}.FunctionService/PutFunction\n` +
        `grpcurl -plaintext -d '${JSON.stringify(mapping)}' ${mappingGrpc} ${api}.MappingService/CreateEventSourceMapping`,
    ],
    [
      "what runs in the poller: partitions, positions, lag",
      `grpcurl -plaintext ${pollerGrpc} penstock.poller.v1.PollerService/DescribePoller`,
    ],
    ["kill it; it comes back, and nothing is lost", `kill -9 ${pollerPid}`],
  ];
}
