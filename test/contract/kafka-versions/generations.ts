/**
 * What older brokers offer: the newest version of each request that Penstock sends, by Kafka version. A newer broker is asked no more than that, which is
 * how requests of old are tested without old brokers (test/brokers has these).
 */
import type { RecordSourceDriverOptions } from "@penstock/kafka";

type ApiVersionsMax = NonNullable<RecordSourceDriverOptions["apiVersionsMax"]>;

const ABSENT = -1;
const KIP_848 = { 68: ABSENT, 69: ABSENT };

/** By key: 1 Fetch, 2 ListOffsets, 3 Metadata, 8 OffsetCommit, 9 OffsetFetch, 10 FindCoordinator, 11 to 16 groups, 18 ApiVersions, 19 and 20 topics … */
export const GENERATIONS: Readonly<Record<string, ApiVersionsMax>> = {
  "0.11": {
    ...{ 1: 5, 2: 2, 3: 4, 8: 3, 9: 3, 10: 1, 11: 2, 12: 1, 13: 1, 14: 1, 15: 1, 18: 1 },
    ...{ 17: 0, 19: 2, 20: 1, 21: 0, 32: 0, 36: ABSENT, 37: ABSENT, 42: ABSENT },
    ...KIP_848,
  },
  "1.1": {
    ...{ 1: 7, 2: 2, 3: 5, 8: 3, 9: 3, 10: 1, 11: 2, 12: 1, 13: 1, 14: 1, 15: 1, 18: 1 },
    ...{ 17: 1, 19: 2, 20: 1, 21: 0, 32: 1, 36: 0, 37: 0, 42: 0 },
    ...KIP_848,
  },
  "2.1": {
    ...{ 1: 10, 2: 4, 3: 7, 8: 6, 9: 5, 10: 2, 11: 3, 12: 2, 13: 2, 14: 2, 15: 2, 18: 2 },
    ...{ 17: 1, 19: 3, 20: 3, 21: 1, 32: 2, 36: 0, 37: 1, 42: 1 },
    ...KIP_848,
  },
  "2.4": {
    ...{ 1: 11, 2: 5, 3: 9, 8: 8, 9: 6, 10: 3, 11: 6, 12: 4, 13: 4, 14: 4, 15: 5, 18: 3 },
    ...{ 17: 1, 19: 5, 20: 4, 21: 1, 32: 2, 36: 2, 37: 1, 42: 2 },
    ...KIP_848,
  },
  "2.8": {
    ...{ 1: 12, 2: 6, 3: 11, 8: 8, 9: 7, 10: 3, 11: 7, 12: 4, 13: 4, 14: 5, 15: 5, 18: 3 },
    ...{ 17: 1, 19: 7, 20: 6, 21: 2, 32: 4, 36: 2, 37: 3, 42: 2 },
    ...KIP_848,
  },
  "3.4": {
    ...{ 1: 13, 2: 7, 3: 12, 8: 8, 9: 8, 10: 4, 11: 9, 12: 4, 13: 5, 14: 5, 15: 5, 18: 3 },
    ...KIP_848,
  },
};
