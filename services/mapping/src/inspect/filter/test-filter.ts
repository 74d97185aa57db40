import { create } from "@bufbuild/protobuf";
import { invalidField, PenstockError } from "@penstock/core";
import { mapping } from "@penstock/proto";
import type { MappingView } from "../../store/mapping-views.ts";
import type { StoredMapping } from "../../store/rows/stored-mapping.ts";
import type { BoundedLooks } from "../bounded-looks.ts";
import type { OpenSource } from "../source-admin.ts";
import { judgeRecords } from "./judge-records.ts";
import { readSamples, SAMPLES_MAX, type TriedRecord, tried } from "./sample-records.ts";

export interface TestFilterParts {
  readonly looks: BoundedLooks;
  readonly openSource: OpenSource;
  /** Whether the caller may see records that the mapping's secrets open. @throws PenstockError `secretDenied`. */
  readonly assertUse: (stored: StoredMapping) => Promise<void>;
  /** @throws PenstockError `notFound`. */
  readonly viewOf: (uuid: string) => Promise<MappingView>;
}

const NEWEST_DEFAULT = 10;
const LOOK_MS_MAX = 10_000;

/** Tries patterns, given or those of a mapping, on records, given or the newest of the mapping's topic. Nothing is joined or committed. */
export async function testFilter(
  request: mapping.TestFilterRequest,
  parts: TestFilterParts,
): Promise<mapping.TestFilterResponse> {
  const { uuid, filterCriteria, records } = request;
  const view = uuid === undefined ? null : await parts.viewOf(uuid);
  const stored = view?.mapping ?? null;
  const patterns = filterCriteria?.filters.map(({ pattern }) => pattern) ?? patternsOf(view);
  const isAboutSamples = records.length > 0;
  if (!isAboutSamples && stored === null) {
    throw invalidField(
      "records",
      "records: send samples, or the uuid of a mapping for its newest ones.",
    );
  }
  // Patterns first: a wrong one needs no look at the brokers.
  judgeRecords(patterns, []);
  const trials =
    isAboutSamples || stored === null ? readSamples(records) : await newest(request, stored, parts);
  return create(mapping.TestFilterResponseSchema, { verdicts: judgeRecords(patterns, trials) });
}

async function newest(
  { newestRecords = NEWEST_DEFAULT }: mapping.TestFilterRequest,
  stored: StoredMapping,
  { looks, openSource, assertUse }: TestFilterParts,
): Promise<TriedRecord[]> {
  if (newestRecords < 1 || newestRecords > SAMPLES_MAX) {
    throw invalidField("newest_records", `newest_records must be 1 to ${SAMPLES_MAX}.`);
  }
  await assertUse(stored);
  const found = await looks.run(
    () => openSource(stored),
    LOOK_MS_MAX,
    (source) => source.newestRecords(stored.topic, newestRecords),
  );
  return found
    .toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
    .map((record) => tried(stored.topic, record));
}

/** The patterns of the mapping, if one is named. */
function patternsOf(view: MappingView | null): readonly string[] {
  if (view === null) {
    throw invalidField(
      "filter_criteria",
      "filter_criteria: send patterns, or the uuid of a mapping.",
    );
  }
  if (view.filterError) throw new PenstockError("filterUndecryptable", view.filterError.message);
  return view.mapping.filterPatterns;
}
