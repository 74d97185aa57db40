import type { MappingState, MutableSettings } from "./mapping.ts";

/**
 * The state that follows from a caller's change; the controller moves it on from there.
 *
 *   create ─▶ Creating ─▶ Enabled | Disabled
 *   enabled: false→true ─▶ Enabling ─▶ Enabled        enabled: true→false ─▶ Disabling ─▶ Disabled
 *   any other setting ─▶ Updating ─▶ Enabled | Disabled
 *   delete ─▶ Deleting ─▶ gone                        (Deleting is never left)
 *
 * A change during another transition never hides what is still outstanding: while the start is being resolved it stays Creating, and while
 * pollers are being started or stopped a change of other settings leaves Enabling and Disabling as they are.
 */
export function stateAfterUpdate(
  state: MappingState,
  before: Pick<MutableSettings, "isEnabled">,
  after: Pick<MutableSettings, "isEnabled">,
): MappingState {
  if (state === "Creating" || state === "Deleting") return state;
  if (before.isEnabled !== after.isEnabled) return after.isEnabled ? "Enabling" : "Disabling";
  if (state === "Enabling" || state === "Disabling") return state;
  return "Updating";
}
