import { PenstockError } from "@penstock/core";
import type { AddressClass } from "./address-class.ts";
import { type AddressValue, isWithin, parseAddress, parsePrefix } from "./address-value.ts";

/**
 * A list of places as an operator writes it, each with an optional `:port`:
 *
 *     public  private           every public address; every loopback and private one
 *     10.20.0.0/16  [fd00::/8]  a network; a single address too. IPv6 with a port goes in brackets
 *     kafka.internal            the name as it is dialled, whatever its address
 *     *.kafka.internal          any name below it
 *     *                         everything
 *
 * Pure: looks nothing up.
 */
export interface AddressRules {
  matches(place: Place): boolean;
}

/** What is about to be dialled. */
export interface Place {
  /** A network holds when it has any of these. */
  readonly addresses: readonly AddressValue[];
  readonly addressClass: AddressClass;
  readonly port: number;
  /** The name that led to the address; null for an IP literal. */
  readonly host: string | null;
}

type Rule = (place: Place) => boolean;

const NAME =
  /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** @throws PenstockError `invalidArgument` that names the setting and each item that is no rule. */
export function parseAddressRules(setting: string, items: readonly string[]): AddressRules {
  const rules: Rule[] = [];
  const wrong: string[] = [];
  for (const item of items) {
    const rule = parseRule(item);
    if (rule === null) wrong.push(item);
    else rules.push(rule);
  }
  if (wrong.length > 0) {
    const description = `must list addresses, networks or names with an optional port, such as 10.0.0.0/8 or *.kafka.internal:9092, not ${JSON.stringify(wrong.join(","))}`;
    throw new PenstockError("invalidArgument", `Invalid settings: ${setting} ${description}.`, {
      violations: [{ field: setting, description }],
    });
  }
  return { matches: (place) => rules.some((rule) => rule(place)) };
}

/** A host as two spellings of it compare: lower case, without the dot at the end. */
export function plainHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function parseRule(item: string): Rule | null {
  const apart = splitPort(item);
  if (apart === null) return null;
  const place = placeRule(plainHost(apart.place));
  if (place === null) return null;
  const { port } = apart;
  return port === null ? place : (target) => target.port === port && place(target);
}

function splitPort(item: string): { place: string; port: number | null } | null {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(item);
  const isBareIpv6 = bracketed === null && item.split(":").length > 2;
  const apart = bracketed ?? (isBareIpv6 ? null : /^([^:]+)(?::(\d{1,5}))?$/.exec(item));
  if (isBareIpv6) return { place: item, port: null };
  if (apart === null) return null;
  const [, place = "", digits] = apart;
  if (bracketed !== null && !place.includes(":")) return null;
  const port = digits === undefined ? null : Number(digits);
  return port !== null && (port < 1 || port > 65_535) ? null : { place, port };
}

function placeRule(text: string): Rule | null {
  if (text === "*") return () => true;
  if (text === "public") return ({ addressClass }) => addressClass === "public";
  if (text === "private")
    return ({ addressClass }) => addressClass === "private" || addressClass === "loopback";
  const [base = "", bits, ...more] = text.split("/");
  if (parseAddress(base) !== null) return more.length === 0 ? networkRule(base, bits) : null;
  if (bits !== undefined || !NAME.test(text) || /^[\d.]+$/.test(text)) return null;
  if (!text.startsWith("*.")) return ({ host }) => host !== null && plainHost(host) === text;
  const suffix = text.slice(1);
  return ({ host }) => host !== null && plainHost(host).endsWith(suffix);
}

function networkRule(base: string, bits: string | undefined): Rule | null {
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return null;
  const bitsMax = parseAddress(base)?.family === 4 ? 32 : 128;
  const network = parsePrefix(base, bits === undefined ? bitsMax : Number(bits));
  if (network === null) return null;
  return ({ addresses }) => addresses.some((address) => isWithin(address, network));
}
