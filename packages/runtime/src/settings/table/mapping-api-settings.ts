import { text } from "../kinds/setting-kinds.ts";

/** Settings of the mapping API's store. */
export const MAPPING_API = {
  kmsKeys: text({
    name: "PENSTOCK_KMS_KEYS",
    description:
      "YAML file that maps KMS key ARNs (KMSKeyArn of a mapping) to local key files, for filter criteria encrypted at rest.",
  }),
};
