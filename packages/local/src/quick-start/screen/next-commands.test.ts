import { expect, it } from "vitest";
import { nextCommands } from "./next-commands.ts";

it("what to try next is JSON that a shell passes on as it stands", () => {
  const commands = nextCommands({
    mappingGrpc: "127.0.0.1:7400",
    pollerGrpc: "127.0.0.1:7401",
    httpFunctionPort: 7490,
    bootstrapServers: "127.0.0.1:9092",
    pollerPid: 4711,
  });
  const text = commands.map(([, command]) => command).join("\n");
  const bodies = [...text.matchAll(/-d '([^']*)'/g)].map(([, body = ""]) => JSON.parse(body));
  expect(bodies).toHaveLength(2);
  const [filter] = bodies[1].filterCriteria.filters;
  expect(JSON.parse(filter.pattern)).toEqual({ value: { amount: [{ numeric: [">", 400] }] } });
  expect(text).toContain("kill -9 4711");
});
