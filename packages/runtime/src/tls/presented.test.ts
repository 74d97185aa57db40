import { describe, expect, it } from "vitest";
import { alternativeNames } from "./presented.ts";

describe("alternativeNames", () => {
  it.each([
    ["", []],
    ["DNS:a.example, DNS:b.example", ["dns:a.example", "dns:b.example"]],
    ["URI:spiffe://penstock/poller", ["uri:spiffe://penstock/poller"]],
    ["IP Address:127.0.0.1, email:a@b.example", ["email:a@b.example"]],
    // CVE-2021-44532: a name that tries to be two.
    ['DNS:"evil.example, DNS:good.example"', ["dns:evil.example, DNS:good.example"]],
    ['URI:"http://a/, DNS:good.example", DNS:c', ["uri:http://a/, DNS:good.example", "dns:c"]],
  ])("reads %s", (text, names) => {
    expect(alternativeNames(text)).toEqual(names);
  });
});
