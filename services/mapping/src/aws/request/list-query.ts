/**
 * The query of ListEventSourceMappings: filters, MaxItems and Marker.
 *
 * AWS's model takes MaxItems from 1 to 10 000 and the service gives 100 at most, so that is what a page has here too. A Marker is opaque, and good for
 * the filters of its own page only.
 */
import { type FieldViolation, PenstockError } from "@penstock/core";
import { PAGE_SIZE_MAX, readPageToken, writePageToken } from "../../api/page-token.ts";
import type { ListMappingsQuery } from "../../commands/mapping-commands.ts";
import { AwsRefusal } from "../wire/aws-refusal.ts";

const MAX_ITEMS_MAX = 10_000;

export interface ListQuery {
  readonly filter: ListMappingsQuery;
  /** Where the page begins, null = at the first mapping. */
  readonly after: bigint | null;
  readonly size: number;
}

/** @throws AwsRefusal, PenstockError `invalidArgument`. */
export function readListQuery(query: URLSearchParams): ListQuery {
  const functionName = query.get("FunctionName");
  const eventSourceArn = query.get("EventSourceArn");
  const filter = {
    ...(functionName !== null && { functionName }),
    ...(eventSourceArn !== null && eventSourceArn !== "" && { eventSourceArn }),
  };
  return {
    filter,
    after: readMarker(filter, query.get("Marker") ?? ""),
    size: Math.min(PAGE_SIZE_MAX, readMaxItems(query.get("MaxItems"))),
  };
}

export function writeMarker(filter: ListMappingsQuery, next: bigint): string {
  return writePageToken(listName(filter), String(next));
}

function readMarker(filter: ListMappingsQuery, marker: string): bigint | null {
  const key = markerKey(filter, marker);
  if (key === null) return null;
  if (/^\d{1,18}$/.test(key)) return BigInt(key);
  throw badMarker();
}

function markerKey(filter: ListMappingsQuery, marker: string): string | null {
  try {
    return readPageToken(listName(filter), marker);
  } catch (error) {
    if (error instanceof PenstockError) throw badMarker();
    throw error;
  }
}

function badMarker(): AwsRefusal {
  return new AwsRefusal(
    "InvalidParameterValueException",
    "The Marker must be the NextMarker of a page with the same filters.",
  );
}

function listName({ functionName, eventSourceArn }: ListMappingsQuery): string {
  return `aws:${JSON.stringify([functionName ?? null, eventSourceArn ?? null])}`;
}

function readMaxItems(text: string | null): number {
  if (text === null) return PAGE_SIZE_MAX;
  const value = Number(text);
  if (!/^-?\d{1,9}$/.test(text)) {
    const message = "MaxItems: STRING_VALUE can not be converted to an Integer";
    throw new AwsRefusal("SerializationException", message);
  }
  if (value < 1) throw outOfRange(text, "Member must have value greater than or equal to 1");
  if (value > MAX_ITEMS_MAX) {
    throw outOfRange(text, `Member must have value less than or equal to ${MAX_ITEMS_MAX}`);
  }
  return value;
}

function outOfRange(value: string, constraint: string): PenstockError {
  const description = `MaxItems must be from 1 to ${MAX_ITEMS_MAX}, not ${value}.`;
  const violation: FieldViolation = {
    field: "max_items",
    description,
    aws: { kind: "constraint", member: "maxItems", value, constraint },
  };
  return new PenstockError("invalidArgument", description, { violations: [violation] });
}
