import type { StoredMapping } from "../store/rows/stored-mapping.ts";
import type { AnswerCodec } from "./once.ts";

/** A mapping as a mutation stored it. Filter criteria under a KMS key stay sealed: they are opened for each answer. */
export const MAPPING_ANSWER: AnswerCodec<StoredMapping> = {
  write: ({ filterSealed, ...mapping }) =>
    JSON.stringify({
      ...mapping,
      sequence: String(mapping.sequence),
      revision: String(mapping.revision),
      filterSealed: filterSealed && Buffer.from(filterSealed).toString("base64"),
    }),
  read(text) {
    const plain = JSON.parse(text) as Written;
    return {
      ...plain,
      sequence: BigInt(plain.sequence),
      revision: BigInt(plain.revision),
      filterSealed: plain.filterSealed === null ? null : Buffer.from(plain.filterSealed, "base64"),
    };
  },
};

type Written = Omit<StoredMapping, "sequence" | "revision" | "filterSealed"> & {
  readonly sequence: string;
  readonly revision: string;
  readonly filterSealed: string | null;
};
