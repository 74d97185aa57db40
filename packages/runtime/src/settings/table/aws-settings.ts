import { flag, integer } from "../kinds/setting-kinds.ts";

/** What the AWS face of the mapping service allows. */
export const AWS_SETTINGS = {
  awsStrict: flag({
    name: "PENSTOCK_AWS_STRICT",
    default: false,
    description:
      "Refuses what AWS refuses and Penstock could do, such as retry limits without provisioned mode.",
  }),
  awsRequestsPerSecond: integer({
    name: "PENSTOCK_AWS_REQUESTS_PER_SECOND",
    min: 0,
    max: 100_000,
    default: 200,
    description:
      "Requests a second that one caller may make to the AWS API of the mapping service, on average; more are answered with TooManyRequestsException. 0 = no limit.",
  }),
  awsRequestBurst: integer({
    name: "PENSTOCK_AWS_REQUEST_BURST",
    min: 1,
    max: 100_000,
    default: 400,
    description:
      "Requests that one caller of the AWS API may make at once before PENSTOCK_AWS_REQUESTS_PER_SECOND holds.",
  }),
};
