/** Which driver speaks to the brokers (PENSTOCK_KAFKA_DRIVER), and which settings it can't follow. */
import type { RecordSourceDriver } from "@penstock/core";
import {
  createKafkajsRecordSourceDriver,
  createRecordSourceDriver,
  type GroupProtocol,
  KAFKAJS_CAPABILITIES,
  type RecordSourceDriverOptions,
} from "@penstock/kafka";

export interface DriverSettings {
  readonly kafkaDriver: string;
  readonly kafkaGroupProtocol: string;
  readonly kafkaStaticMembership: boolean;
  readonly kafkaRack: string;
}

/** Settings that ask of the kafkajs driver what it can't do. */
export function driverProblems(
  settings: DriverSettings,
): { readonly field: string; readonly description: string }[] {
  if (settings.kafkaDriver !== "kafkajs") return [];
  const { speaksConsumerProtocol, keepsStaticMembers, readsNearestReplica } = KAFKAJS_CAPABILITIES;
  const problems: { field: string; description: string }[] = [];
  const refuse = (field: string, what: string) =>
    problems.push({
      field,
      description: `can't be had with PENSTOCK_KAFKA_DRIVER=kafkajs: ${what}`,
    });
  if (settings.kafkaGroupProtocol === "consumer" && !speaksConsumerProtocol)
    refuse("PENSTOCK_KAFKA_GROUP_PROTOCOL", "it speaks the classic protocol only");
  if (settings.kafkaStaticMembership && !keepsStaticMembers)
    refuse("PENSTOCK_KAFKA_STATIC_MEMBERSHIP", "it has no static members");
  if (settings.kafkaRack !== "" && !readsNearestReplica)
    refuse("PENSTOCK_KAFKA_RACK", "it reads from leaders only");
  return problems;
}

/** Says in the log what was chosen and what that can and can't do. */
export function chooseDriver(
  settings: DriverSettings,
  options: Omit<RecordSourceDriverOptions, "groupProtocol" | "rack">,
): RecordSourceDriver {
  const all = {
    ...options,
    groupProtocol: settings.kafkaGroupProtocol as GroupProtocol,
    rack: settings.kafkaRack,
  };
  const driver =
    settings.kafkaDriver === "kafkajs"
      ? createKafkajsRecordSourceDriver(all)
      : createRecordSourceDriver(all);
  options.log.info("kafka driver", driver.capabilities);
  return driver;
}
