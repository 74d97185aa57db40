import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressClass, classifyAddress } from "./address-class.ts";

const TABLE: readonly (readonly [string, AddressClass])[] = [
  ["8.8.8.8", "public"],
  ["1.1.1.1", "public"],
  ["172.15.255.255", "public"],
  ["172.32.0.0", "public"],
  ["100.63.255.255", "public"],
  ["100.128.0.0", "public"],
  ["0.0.0.0", "unspecified"],
  ["0.1.2.3", "unspecified"],
  ["10.0.0.1", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["100.64.0.1", "private"],
  ["198.18.0.1", "private"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["169.254.0.1", "linkLocal"],
  ["169.254.169.254", "metadata"],
  ["169.254.170.2", "metadata"],
  ["100.100.100.200", "metadata"],
  ["168.63.129.16", "metadata"],
  ["192.0.0.192", "metadata"],
  ["192.0.2.1", "reserved"],
  ["203.0.113.9", "reserved"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.255", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "reserved"],
  ["2606:4700::1111", "public"],
  ["::", "unspecified"],
  ["::1", "loopback"],
  ["0:0:0:0:0:0:0:1", "loopback"],
  ["::127.0.0.1", "reserved"],
  ["::ffff:127.0.0.1", "loopback"],
  ["::ffff:7f00:1", "loopback"],
  ["::FFFF:169.254.169.254", "metadata"],
  ["::ffff:8.8.8.8", "public"],
  ["::ffff:0:10.0.0.1", "private"],
  ["64:ff9b::8.8.8.8", "public"],
  ["64:ff9b::169.254.169.254", "metadata"],
  ["64:ff9b::7f00:1", "loopback"],
  ["64:ff9b:1::808:808", "private"],
  ["64:ff9b:1::", "private"],
  ["64:ff9b:1::a9fe:a9fe", "metadata"],
  ["64:ff9b:1:7::169.254.170.2", "metadata"],
  ["64:ff9b:1:a9fe:a9:fe00::", "metadata"],
  ["64:ff9b:1:a9:fe:a9fe::1", "metadata"],
  ["64:ff9b:1:7:a9:fea9:fe00:0", "metadata"],
  ["64:ff9b:1::7f00:1", "loopback"],
  ["64:ff9b:1::169.254.0.9", "linkLocal"],
  ["2002:7f00:1::", "loopback"],
  ["2002:a9fe:a9fe::1", "metadata"],
  ["2002:808:808::", "public"],
  ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "reserved"],
  ["2001:db8::1", "reserved"],
  ["2606:4700::5efe:10.0.0.1", "reserved"],
  ["2606:4700::200:5efe:7f00:1", "reserved"],
  ["2606:4700::5efe:169.254.169.254", "metadata"],
  ["2606:4700::5efe:8.8.8.8", "public"],
  ["fe80::1", "linkLocal"],
  ["fe80::1%eth0", "linkLocal"],
  ["fec0::1", "private"],
  ["fc00::1", "private"],
  ["fd12:3456::1", "private"],
  ["fd00:ec2::254", "metadata"],
  ["fd20:ce::254", "metadata"],
  ["ff02::1", "multicast"],
  ["100::1", "reserved"],
  ["4000::1", "reserved"],
  ["", "invalid"],
  ["localhost", "invalid"],
  ["127.1", "invalid"],
  ["0177.0.0.1", "invalid"],
  ["256.1.1.1", "invalid"],
  ["1:2:3", "invalid"],
  ["1::2::3", "invalid"],
  ["::12345", "invalid"],
  ["1:2:3:4:5:6:7:8:9", "invalid"],
];

describe("classifyAddress", () => {
  it.each(TABLE)("S-01: %s is %s", (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });

  it("S-01: every IPv4 address has the class of its mapped, NAT64 and 6to4 forms", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const expected = classifyAddress(address);
        const hex = address
          .split(".")
          .map((part) => Number(part).toString(16).padStart(2, "0"))
          .join("");
        const groups = `${hex.slice(0, 4)}:${hex.slice(4)}`;
        expect(classifyAddress(`::ffff:${address}`)).toBe(expected);
        expect(classifyAddress(`::ffff:${groups}`)).toBe(expected);
        expect(classifyAddress(`64:ff9b::${address}`)).toBe(expected);
        expect(classifyAddress(`2002:${groups}::1`)).toBe(expected);
      }),
    );
  });

  it("S-01: is total over text and IPv6", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof classifyAddress(text) === "string"));
    fc.assert(fc.property(fc.ipV6(), (address) => classifyAddress(address) !== "invalid"));
  });
});
