import type { AwsViolation, PenstockError } from "../../errors/penstock-error.ts";

/** An `invalidArgument` as AWS says it. */
export interface AwsError {
  readonly type: "ValidationException" | "InvalidParameterValueException";
  readonly message: string;
}

/**
 * What AWS answers: the constraints of the API model that are broken, all of them in one ValidationException; else the first rule of the service.
 */
export function awsError(error: PenstockError): AwsError {
  const said = error.violations.map(
    ({ aws, description }): AwsViolation => aws ?? { kind: "parameter", message: description },
  );
  const constraints = said.filter((violation) => violation.kind === "constraint");
  if (constraints.length > 0) {
    const count = constraints.length;
    const texts = constraints.map(
      ({ member, value, constraint }) =>
        `Value ${value === null ? "null" : `'${value}'`} at '${member}' failed to satisfy constraint: ${constraint}`,
    );
    return {
      type: "ValidationException",
      message: `${count} validation error${count === 1 ? "" : "s"} detected: ${texts.join("; ")}`,
    };
  }
  const parameter = said.find((violation) => violation.kind === "parameter");
  return {
    type: "InvalidParameterValueException",
    message: parameter?.message ?? error.message,
  };
}
