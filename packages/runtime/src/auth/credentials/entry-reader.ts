import { NODE_SERVICES, type NodeService, ROLES, type Role } from "../caller.ts";
import type { Credential } from "./credentials.ts";

/** A name goes into logs, events and the audit; without a colon it can't be taken for that of a JSON Web Token. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@/-]{0,99}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** A name or address without port. */
const HOST = /^[A-Za-z0-9_.:-]{1,253}$/;
const HOSTS_MAX = 100;
const COMMON = ["name", "roles", "expires", "service", "node_id", "hosts"];

/** Reads one entry of the credentials file and notes what is wrong with it. */
export class EntryReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #names: Set<string>;
  readonly #problems: string[];

  constructor(entry: unknown, path: string, names: Set<string>, problems: string[]) {
    const isObject = typeof entry === "object" && entry !== null && !Array.isArray(entry);
    this.#fields = isObject ? (entry as Record<string, unknown>) : {};
    this.#path = path;
    this.#names = names;
    this.#problems = problems;
    if (!isObject) this.problem("", "must have fields");
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  problem(field: string, what: string): void {
    this.#problems.push(`${this.#path}${field === "" ? "" : `.${field}`} ${what}`);
  }

  /** @param own fields besides the common ones */
  credential(own: readonly string[]): Credential {
    for (const name of Object.keys(this.#fields)) {
      if (!COMMON.includes(name) && !own.includes(name))
        this.problem("", `has a field that is none: ${JSON.stringify(name.slice(0, 50))}`);
    }
    const subject = this.text("name", NAME, "1 to 100 letters, digits and . _ @ / -");
    if (this.#names.has(subject)) this.problem("name", "is there twice");
    this.#names.add(subject);
    const roles = this.#roles();
    const isNode = roles.has("node");
    const nodeServices = this.#nodeServices(isNode);
    const nodeHosts = this.#nodeHosts(isNode);
    return {
      caller: {
        subject,
        roles,
        nodeId: this.#nodeId(nodeServices),
        ...(isNode && { nodeServices }),
        ...(nodeHosts !== null && { nodeHosts }),
      },
      expiresAtMs: this.#expires(),
    };
  }

  text(field: string, pattern: RegExp, wanted: string): string {
    const value = this.has(field) ? this.#fields[field] : undefined;
    if (typeof value === "string" && pattern.test(value)) return value;
    this.problem(field, `must be ${wanted}`);
    return "";
  }

  /** One text, or a list of up to `countMax`. */
  texts(field: string, pattern: RegExp, wanted: string, countMax: number): string[] {
    const value = this.has(field) ? this.#fields[field] : undefined;
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const good = values.filter((one) => typeof one === "string" && pattern.test(one));
    if (good.length === values.length && good.length > 0 && good.length <= countMax) {
      return good as string[];
    }
    this.problem(field, `must be ${wanted}, or a list of up to ${countMax}`);
    return [];
  }

  put<T>(known: Map<string, T>, key: string, value: T, field: string): void {
    if (known.has(key)) this.problem(field, "belongs to another entry already");
    known.set(key, value);
  }

  #roles(): ReadonlySet<Role> {
    const names = this.has("roles") ? this.#fields.roles : undefined;
    const isGood = Array.isArray(names) && names.length > 0 && names.every(isRole);
    if (isGood) return new Set(names as Role[]);
    this.problem("roles", `must be a list of ${ROLES.join(", ")}`);
    return new Set();
  }

  /** One, or a list of both for a process that is both. */
  #nodeServices(isNode: boolean): ReadonlySet<NodeService> {
    const value = this.has("service") ? this.#fields.service : undefined;
    if (!isNode) {
      if (value !== undefined) this.problem("service", "is for the role node only");
      return new Set();
    }
    const names: readonly unknown[] = Array.isArray(value) ? value : [value];
    const services = NODE_SERVICES.filter((name) => names.includes(name));
    if (services.length === 0 || services.length !== names.length) {
      this.problem("service", `must be ${NODE_SERVICES.join(" or ")}, or a list of both`);
    }
    return new Set(services);
  }

  #nodeHosts(isNode: boolean): ReadonlySet<string> | null {
    if (!this.has("hosts")) return null;
    if (!isNode) this.problem("hosts", "is for the role node only");
    const hosts = this.texts("hosts", HOST, "a name or address without port", HOSTS_MAX);
    return new Set(hosts.map((host) => host.toLowerCase()));
  }

  #nodeId(services: ReadonlySet<NodeService>): string | null {
    if (!this.has("node_id")) return null;
    if (services.size !== 1) this.problem("node_id", "is for the role node with one service only");
    return this.text("node_id", UUID, "a UUID").toLowerCase();
  }

  #expires(): number | null {
    if (!this.has("expires")) return null;
    const value = this.#fields.expires;
    const isTime =
      typeof value === "string" && /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(value);
    const atMs = isTime ? Date.parse(value) : Number.NaN;
    if (Number.isNaN(atMs)) this.problem("expires", "must be a time such as 2027-01-31T00:00:00Z");
    return atMs;
  }
}

function isRole(name: unknown): boolean {
  return ROLES.some((role) => role === name);
}
