import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { type AwsWorld, MAPPINGS, startAwsWorld } from "./aws-world.ts";

let world: AwsWorld;
beforeAll(async () => {
  world = await startAwsWorld(inject("POSTGRES"), {
    PENSTOCK_AWS_REQUESTS_PER_SECOND: "1",
    PENSTOCK_AWS_REQUEST_BURST: "3",
  });
});
afterAll(() => world.stop());

it("answers a caller that asks too often with 429, AWS's reason and when to come back", async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => world.call("GET", `${MAPPINGS}?MaxItems=1`)),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
  expect(refused.length).toBeGreaterThan(0);
  for (const { json, headers, errorType } of refused) {
    expect(errorType).toBe("TooManyRequestsException");
    expect(json).toEqual({
      Type: "User",
      message: "Rate exceeded",
      Reason: "CallerRateLimitExceeded",
    });
    expect(headers.get("retry-after")).toBe("1");
  }
  // Probes are no calls of the API.
  expect((await world.call("GET", "/healthz")).status).toBe(200);
});
