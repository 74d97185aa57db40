import type { Database } from "@penstock/postgres";
import { type FilterSeal, KEY_ID_PLACE } from "../seal/filter-seal.ts";

/** Filters sealed anew in one turn. */
const ROWS_MAX = 200;

interface Row {
  id: string;
  kms_key_arn: string;
  filter_sealed: Buffer;
}

/**
 * Seals filter criteria that an older key sealed with the newest key of their ARN, so that the older one can be retired. Their revision stays: the
 * settings are the same. What can't be opened is left as it is. Returns how many were sealed anew.
 */
export async function resealFilters(db: Database, filters: FilterSeal): Promise<number> {
  let count = 0;
  for (const [arn, keyId] of filters.sealingKeyIds) {
    const rows = await db.sql<Row[]>`
      select id, kms_key_arn, filter_sealed from mappings
       where filter_sealed is not null and kms_key_arn = ${arn}
         and substring(filter_sealed from ${KEY_ID_PLACE.from}::int for ${KEY_ID_PLACE.bytes}::int) <> ${keyId}::bytea
       order by modified_at desc
       limit ${ROWS_MAX}`;
    for (const row of rows) if (await reseal(db, filters, row)) count++;
  }
  return count;
}

async function reseal(db: Database, filters: FilterSeal, row: Row): Promise<boolean> {
  const { patterns } = filters.open(row.id, row.kms_key_arn, row.filter_sealed);
  if (patterns === null) return false;
  const sealed = filters.seal(row.id, row.kms_key_arn, patterns);
  const written = await db.sql`
    update mappings set filter_sealed = ${sealed}
     where id = ${row.id} and filter_sealed = ${row.filter_sealed}`;
  return written.count === 1;
}
