import type { PenstockError } from "../errors/penstock-error.ts";

/** An `invalidArgument` as AWS would say it. */
export interface AwsError {
  readonly type: "ValidationException" | "InvalidParameterValueException";
  readonly message: string;
}

/**
 * What AWS would answer: all constraints of the API model in one ValidationException; without any, the first rule of the service.
 */
export function awsError(error: PenstockError): AwsError {
  return { type: "InvalidParameterValueException", message: error.message };
}
