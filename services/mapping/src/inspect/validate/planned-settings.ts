import {
  applyChanges,
  type MappingSettings,
  readCreateMapping,
  readUpdateMapping,
} from "@penstock/core";
import type { mapping } from "@penstock/proto";
import { createInput, mappingInput } from "../../api/mapping-requests.ts";
import { type MappingCommandParts, rulesNow } from "../../commands/mapping-command-parts.ts";
import type { StoredMapping } from "../../store/rows/stored-mapping.ts";

/**
 * The settings that the mapping would have.
 *
 * @throws PenstockError `invalidArgument` that names everything that is wrong with the values.
 */
export function plannedSettings(
  { create: created, update }: mapping.ValidateEventSourceMappingRequest,
  present: StoredMapping | null,
  commands: MappingCommandParts,
): MappingSettings {
  const rules = rulesNow(commands);
  if (present === null || update === undefined) {
    return readCreateMapping(created ? createInput(created) : {}, rules).settings;
  }
  const changes = readUpdateMapping(mappingInput(update), update.updateMask?.paths ?? null, rules);
  return { ...present, ...applyChanges(present, changes, rules) };
}
