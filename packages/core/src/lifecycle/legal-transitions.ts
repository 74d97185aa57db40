import type { MappingState } from "../mapping/mapping.ts";

/**
 * Every change of state that a mapping may make, whoever makes it (AWS, "State" of EventSourceMappingConfiguration).
 *
 * `gone` is no state: the row is removed. Deleting is never left for another state.
 */
export const LEGAL_TRANSITIONS: Readonly<Record<MappingState, readonly (MappingState | "gone")[]>> =
  {
    Creating: ["Enabled", "Disabled", "Deleting"],
    Enabling: ["Enabled", "Disabling", "Deleting"],
    Enabled: ["Updating", "Disabling", "Deleting"],
    Updating: ["Enabled", "Disabled", "Enabling", "Disabling", "Deleting"],
    Disabling: ["Disabled", "Enabling", "Deleting"],
    Disabled: ["Updating", "Enabling", "Deleting"],
    Deleting: ["gone"],
  };

/** Whether a mapping may go from one state to another; to stay is no change. */
export function isLegalTransition(from: MappingState, to: MappingState | "gone"): boolean {
  return LEGAL_TRANSITIONS[from].includes(to);
}

/** States that a controller has to lead out of. */
export function isTransition(state: MappingState): boolean {
  return state !== "Enabled" && state !== "Disabled";
}
