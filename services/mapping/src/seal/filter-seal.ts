import { randomBytes } from "node:crypto";
import { invalidField, type PenstockError } from "@penstock/core";
import { BOX_KEY_BYTES, boxBytes, closeBox, openBox } from "./aes-gcm-box.ts";
import { KEY_ID_BYTES, type KeyRing, type RingKey } from "./key-ring.ts";

/**
 * Filter criteria at rest under the key of the user's choice: an envelope.
 *
 *     version (1 byte, 1) · key id (8) · box of a random data key, under the ring's key · box of the patterns, under the data key
 *
 * The mapping's id and the name of the field are associated data of both boxes: what was sealed for one mapping can't be opened for another.
 * New envelopes are made with the newest key of the ARN; older keys only open.
 */
export interface FilterSeal {
  /** ARNs that stand for a local key. */
  readonly arns: ReadonlySet<string>;
  /** @throws PenstockError `invalidArgument` when the ARN stands for no key. */
  seal(mappingId: string, kmsKeyArn: string, patterns: readonly string[]): Buffer;
  open(mappingId: string, kmsKeyArn: string, sealed: Uint8Array): OpenedFilter;
  /** Id of the key that seals for an ARN, as {@link keyIdOf} reads it from an envelope. */
  readonly sealingKeyIds: ReadonlyMap<string, Buffer>;
}

export type OpenedFilter =
  | { readonly patterns: readonly string[]; readonly error: null }
  | { readonly patterns: null; readonly error: FilterError };

/** Why filter criteria can't be shown, as AWS says it (FilterCriteriaError). */
export interface FilterError {
  /** Ends in `Exception`. */
  readonly code: string;
  readonly message: string;
}

const VERSION = 1;
const HEAD_BYTES = 1 + KEY_ID_BYTES;
const WRAPPED_BYTES = boxBytes(BOX_KEY_BYTES);

/** Where the key id lies in an envelope, counted from 1 as SQL's substring does. */
export const KEY_ID_PLACE = { from: 2, bytes: KEY_ID_BYTES } as const;

export function createFilterSeal(ring: KeyRing): FilterSeal {
  return {
    arns: new Set(ring.keys()),
    sealingKeyIds: new Map([...ring].map(([arn, [newest]]) => [arn, newest.id])),
    seal(mappingId, kmsKeyArn, patterns) {
      const newest = ring.get(kmsKeyArn)?.[0];
      if (newest === undefined) throw unknownKey(kmsKeyArn);
      const dataKey = randomBytes(BOX_KEY_BYTES);
      const plain = Buffer.from(JSON.stringify(patterns), "utf8");
      return Buffer.concat([
        Buffer.of(VERSION),
        newest.id,
        closeBox(newest.key, dataKey, associated(mappingId, "data key")),
        closeBox(dataKey, plain, associated(mappingId, "patterns")),
      ]);
    },
    open(mappingId, kmsKeyArn, sealed) {
      const envelope = Buffer.from(sealed);
      const key = findKey(ring.get(kmsKeyArn) ?? [], envelope);
      if (key === undefined) return { patterns: null, error: missing(kmsKeyArn) };
      try {
        return { patterns: openEnvelope(key, mappingId, envelope), error: null };
      } catch {
        // Which of the two boxes did not open, and why, is of use to an attacker only.
        return { patterns: null, error: BROKEN };
      }
    },
  };
}

function findKey(keys: readonly RingKey[], envelope: Buffer): RingKey | undefined {
  const id = envelope.subarray(1, HEAD_BYTES);
  return keys.find((key) => key.id.equals(id));
}

function openEnvelope(key: RingKey, mappingId: string, envelope: Buffer): string[] {
  if (envelope[0] !== VERSION) throw new Error("unknown format");
  const wrapped = envelope.subarray(HEAD_BYTES, HEAD_BYTES + WRAPPED_BYTES);
  const dataKey = openBox(key.key, wrapped, associated(mappingId, "data key"));
  const box = envelope.subarray(HEAD_BYTES + WRAPPED_BYTES);
  const plain = openBox(dataKey, box, associated(mappingId, "patterns"));
  return JSON.parse(plain.toString("utf8")) as string[];
}

function associated(mappingId: string, part: string): string {
  return `penstock mapping ${mappingId} filter_criteria: ${part}`;
}

function unknownKey(arn: string): PenstockError {
  const shown = JSON.stringify(arn.slice(0, 200));
  return invalidField(
    "kms_key_arn",
    `kms_key_arn: PENSTOCK_KMS_KEYS maps no local key to ${shown}.`,
  );
}

function missing(arn: string): FilterError {
  return {
    code: "KMSNotFoundException",
    message:
      `The filter criteria can't be decrypted: the key that they were encrypted with is not among those of ${arn} in PENSTOCK_KMS_KEYS. ` +
      "Restore it there, or update the mapping with new filter criteria.",
  };
}

const BROKEN: FilterError = {
  code: "KMSInvalidStateException",
  message:
    "The filter criteria can't be decrypted: what is stored was changed. Update the mapping with new filter criteria.",
};
