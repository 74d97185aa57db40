import { describe, expect, it } from "vitest";
import { AwsRefusal } from "./aws-refusal.ts";
import { isAwsPath, routeOf } from "./aws-route.ts";

const MAPPINGS = "/2015-03-31/event-source-mappings";
const UUID = "3f0f6c56-51e0-4d4b-9d43-2d4b0d8bb4a1";
const ARN = `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`;

describe("routeOf", () => {
  it.each([
    ["POST", MAPPINGS, "CreateEventSourceMapping", ""],
    ["GET", MAPPINGS, "ListEventSourceMappings", ""],
    ["GET", `${MAPPINGS}/${UUID}`, "GetEventSourceMapping", UUID],
    ["PUT", `${MAPPINGS}/${UUID}`, "UpdateEventSourceMapping", UUID],
    ["DELETE", `${MAPPINGS}/${UUID}`, "DeleteEventSourceMapping", UUID],
    ["GET", `/2017-03-31/tags/${ARN}`, "ListTags", ARN],
    ["POST", `/2017-03-31/tags/${encodeURIComponent(ARN)}`, "TagResource", ARN],
    ["DELETE", `/2017-03-31/tags/${encodeURIComponent(ARN)}`, "UntagResource", ARN],
  ])("%s %s is %s, with and without a slash at the end", (method, path, operation, label) => {
    expect(routeOf(method, path)).toMatchObject({ operation, label });
    expect(routeOf(method, `${path}/`)).toMatchObject({ operation, label });
    expect(routeOf(method, `${path}/?a=1`)).toMatchObject({ operation, label });
  });

  it("decodes the query, a key as often as it comes", () => {
    const route = routeOf("DELETE", `/2017-03-31/tags/${ARN}?tagKeys=a%20b&tagKeys=c%2Bd`);
    if (route instanceof AwsRefusal) throw route;
    expect(route.query.getAll("tagKeys")).toEqual(["a b", "c+d"]);
  });

  it("S-10: takes a plus in the query for a plus, as signatures do", () => {
    const route = routeOf("DELETE", `/2017-03-31/tags/${ARN}?tagKeys=a+b`);
    if (route instanceof AwsRefusal) throw route;
    expect(route.query.getAll("tagKeys")).toEqual(["a+b"]);
  });

  it("refuses a query whose escapes are none", () => {
    const refusal = routeOf("GET", `${MAPPINGS}?Marker=%zz`);
    expect(refusal).toMatchObject({ type: "SerializationException" });
  });

  it("leaves a label that is no percent-encoding as it is", () => {
    expect(routeOf("GET", `${MAPPINGS}/%ff%zz`)).toMatchObject({ label: "%ff%zz" });
  });

  it.each([
    "/2015-03-31/functions",
    "/2015-03-31/event-source-mappings/a/b",
    "/2015-03-31/event-source-mappings//",
    "/2017-03-31/tags/",
    "/2018-10-31/layers",
    "/2015-03-31",
  ])("knows no operation at %s", (path) => {
    const refusal = routeOf("GET", path);
    expect(refusal).toMatchObject({ type: "UnknownOperationException", detail: { status: 404 } });
  });

  it.each([
    ["PATCH", MAPPINGS, "POST, GET"],
    ["POST", `${MAPPINGS}/${UUID}`, "GET, PUT, DELETE"],
    ["__proto__", `/2017-03-31/tags/${ARN}`, "GET, POST, DELETE"],
  ])("has no %s at %s, and says what there is", (method, path, allow) => {
    const detail = { status: 405, headers: { allow } };
    expect(routeOf(method, path)).toMatchObject({ type: "UnknownOperationException", detail });
  });
});

describe("isAwsPath", () => {
  it.each([
    ["/2015-03-31/event-source-mappings", true],
    ["/2019-09-25/functions/f/event-invoke-config", true],
    ["/2015-03-31", true],
    ["/2015-03-312/x", false],
    ["/healthz", false],
    ["/penstock.mapping.v1.MappingService/2015-03-31/", false],
    ["", false],
  ])("of %s is %s", (path, isAws) => {
    expect(isAwsPath(path)).toBe(isAws);
  });
});
