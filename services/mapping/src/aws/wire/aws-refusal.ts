/**
 * What the AWS face itself refuses, before a command is called: the wire is wrong, not the mapping. Everything else that fails is a PenstockError.
 */
export type RefusalType =
  | "SerializationException"
  | "RequestEntityTooLargeException"
  | "UnknownOperationException"
  | "InvalidParameterValueException"
  | "ValidationException"
  | "TooManyRequestsException";

export interface RefusalDetail {
  /** Where it differs from the usual one of the type. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the body. */
  readonly members?: Readonly<Record<string, string>>;
}

export class AwsRefusal extends Error {
  override readonly name = "AwsRefusal";
  readonly type: RefusalType;
  readonly detail: RefusalDetail;

  /** @param message safe to show to a caller */
  constructor(type: RefusalType, message: string, detail: RefusalDetail = {}) {
    super(message);
    this.type = type;
    this.detail = detail;
  }
}
