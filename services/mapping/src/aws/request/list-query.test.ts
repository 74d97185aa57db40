import { describe, expect, it } from "vitest";
import { readListQuery, writeMarker } from "./list-query.ts";

const read = (query: string) => readListQuery(new URLSearchParams(query));

describe("readListQuery", () => {
  it.each([
    ["", 100],
    ["MaxItems=1", 1],
    ["MaxItems=100", 100],
    ["MaxItems=101", 100],
    ["MaxItems=10000", 100],
  ])("I-14: %j asks for a page of %d", (query, size) => {
    expect(read(query)).toEqual({ filter: {}, after: null, size });
  });

  it.each([
    ["MaxItems=0", "greater than or equal to 1"],
    ["MaxItems=-5", "greater than or equal to 1"],
    ["MaxItems=10001", "less than or equal to 10000"],
  ])("refuses %s with the constraint of AWS's model", (query, constraint) => {
    const aws = { kind: "constraint", member: "maxItems", value: query.slice("MaxItems=".length) };
    const violation = {
      aws: { ...aws, constraint: `Member must have value ${constraint}` },
    };
    expect(() => read(query)).toThrow(
      expect.objectContaining({ violations: [expect.objectContaining(violation)] }),
    );
  });

  it.each(["MaxItems=", "MaxItems=ten", "MaxItems=1.5", "MaxItems=9999999999"])(
    "refuses %s as no integer",
    (query) => {
      expect(() => read(query)).toThrow(
        expect.objectContaining({ type: "SerializationException" }),
      );
    },
  );

  it("S-23: a marker leads to the next page of the same list, and to no other", () => {
    const filter = { functionName: "orders" };
    const marker = writeMarker(filter, 41n);
    expect(read(`FunctionName=orders&Marker=${marker}`)).toEqual({ filter, after: 41n, size: 100 });
    for (const other of ["", "FunctionName=invoices&", "FunctionName=orders&EventSourceArn=a&"]) {
      expect(() => read(`${other}Marker=${marker}`)).toThrow("The Marker must be");
    }
  });

  it.each(["x", "%00", "AAAA", "a".repeat(10_000)])("refuses the marker %.20s", (marker) => {
    expect(() => read(`Marker=${marker}`)).toThrow(
      expect.objectContaining({ type: "InvalidParameterValueException" }),
    );
  });

  it("takes empty filters and an empty marker for none, but not an empty name", () => {
    expect(read("EventSourceArn=&Marker=")).toEqual({ filter: {}, after: null, size: 100 });
    expect(read("FunctionName=").filter).toEqual({ functionName: "" });
  });
});
