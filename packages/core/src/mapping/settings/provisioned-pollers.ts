import { RANGES, TEXTS } from "../constraints/aws-model.ts";
import { awsConstraint, checkRange, checkText, VALUE_AT_MOST } from "../constraints/constraints.ts";
import type { Violations } from "../constraints/violations.ts";
import type { ProvisionedPollers } from "../mapping.ts";
import { MAXIMUM_POLLERS_MAX } from "../mapping-limits.ts";
import type { ProvisionedPollersInput } from "../requests/mapping-input.ts";

/** What nothing was sent of: AWS's defaults. */
export const NO_POLLERS: ProvisionedPollers = {
  minimumPollers: null,
  maximumPollers: null,
  pollerGroupName: null,
};

/** The members that were sent; null = none were. Undefined after a violation. */
export function readProvisionedPollers(
  { minimumPollers, maximumPollers, pollerGroupName }: ProvisionedPollersInput,
  violations: Violations,
): Partial<ProvisionedPollers> | null | undefined {
  const groupAt = {
    field: "provisioned_poller_config.poller_group_name",
    member: "provisionedPollerConfig.pollerGroupName",
  };
  const checks = [
    minimumPollers === undefined || checkRange(violations, RANGES.minimumPollers, minimumPollers),
    maximumPollers === undefined || checkMaximum(violations, maximumPollers),
    pollerGroupName === undefined ||
      checkText(violations, groupAt, TEXTS.pollerGroupName, pollerGroupName),
  ];
  if (checks.includes(false)) return undefined;
  const sent = {
    ...(minimumPollers !== undefined && { minimumPollers }),
    ...(maximumPollers !== undefined && { maximumPollers }),
    ...(pollerGroupName !== undefined && { pollerGroupName: pollerGroupName || null }),
  };
  return Object.keys(sent).length === 0 ? null : sent;
}

/** The API model's limit is that of all sources; Kafka's is lower. */
function checkMaximum(violations: Violations, value: number): boolean {
  const { field, member, max } = RANGES.maximumPollers;
  if (!(value > MAXIMUM_POLLERS_MAX)) {
    return checkRange(violations, { ...RANGES.maximumPollers, max: MAXIMUM_POLLERS_MAX }, value);
  }
  violations.add(
    field,
    `${field} must be a whole number from 1 to ${MAXIMUM_POLLERS_MAX}, not ${value}.`,
    value > max
      ? awsConstraint(member, String(value), `${VALUE_AT_MOST} ${max}`)
      : `The '${member}' parameter must be less than or equal to ${MAXIMUM_POLLERS_MAX} for given event source mapping type.`,
  );
  return false;
}
