/**
 * Which operation of AWS's API a request is (rest-json bindings of Lambda, 2015-03-31). Every path that begins with a date is AWS's, and nobody else's.
 */
import { PenstockError } from "@penstock/core";
import { readQuery } from "@penstock/runtime";
import { AwsRefusal } from "./aws-refusal.ts";

export type OperationName =
  | "CreateEventSourceMapping"
  | "ListEventSourceMappings"
  | "GetEventSourceMapping"
  | "UpdateEventSourceMapping"
  | "DeleteEventSourceMapping"
  | "ListTags"
  | "TagResource"
  | "UntagResource";

export interface AwsRoute {
  readonly operation: OperationName;
  /** The UUID or ARN in the path, decoded; empty where the path has none. */
  readonly label: string;
  readonly query: URLSearchParams;
}

interface RouteRow {
  readonly path: RegExp;
  readonly operations: Readonly<Record<string, OperationName>>;
}

/** Each with and without a slash at its end: SDKs send none, AWS's own examples do. */
const ROUTES: readonly RouteRow[] = [
  {
    path: /^\/2015-03-31\/event-source-mappings\/?$/,
    operations: { POST: "CreateEventSourceMapping", GET: "ListEventSourceMappings" },
  },
  {
    path: /^\/2015-03-31\/event-source-mappings\/([^/]+)\/?$/,
    operations: {
      GET: "GetEventSourceMapping",
      PUT: "UpdateEventSourceMapping",
      DELETE: "DeleteEventSourceMapping",
    },
  },
  {
    path: /^\/2017-03-31\/tags\/([^/]+)\/?$/,
    operations: { GET: "ListTags", POST: "TagResource", DELETE: "UntagResource" },
  },
];

/** The path of an API version, such as `/2015-03-31/functions`. */
const AWS_PATH = /^\/\d{4}-\d{2}-\d{2}(?:\/|$)/;

export function isAwsPath(url: string): boolean {
  return AWS_PATH.test(url);
}

/** The operation, or an UnknownOperationException: 404 for a path that is not there, 405 for a method that it doesn't have. */
export function routeOf(method: string, url: string): AwsRoute | AwsRefusal {
  const path = url.split("?", 1)[0] ?? "";
  for (const row of ROUTES) {
    const match = row.path.exec(path);
    if (match === null) continue;
    if (!Object.hasOwn(row.operations, method)) {
      const allow = Object.keys(row.operations).join(", ");
      return unknown(`${path} has no ${method}, but ${allow}.`, 405, { allow });
    }
    const operation = row.operations[method] as OperationName;
    const query = queryOf(url);
    if (query instanceof AwsRefusal) return query;
    return { operation, label: decoded(match[1] ?? ""), query };
  }
  return unknown(
    "Penstock serves the operations of event source mappings and of their tags only.",
    404,
  );
}

function unknown(message: string, status: number, headers = {}): AwsRefusal {
  return new AwsRefusal("UnknownOperationException", message, { status, headers });
}

/** What is no percent-encoding stays as it is: it names nothing, and the command says so. */
function decoded(label: string): string {
  try {
    return decodeURIComponent(label);
  } catch {
    return label;
  }
}

/** Read as the signature was: what was signed is what is acted on. */
function queryOf(url: string): URLSearchParams | AwsRefusal {
  try {
    return new URLSearchParams(readQuery(url));
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    return new AwsRefusal("SerializationException", error.message);
  }
}
