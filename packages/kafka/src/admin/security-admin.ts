/**
 * What an operator sets on secured brokers: who may do what, passwords of SCRAM users, settings that take effect at once. For the quick start and for tests;
 * Penstock itself never changes the brokers' security.
 */
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { PenstockError } from "@penstock/core";
import {
  type Acl,
  alterUserScramCredentialsV0,
  createAclsV3,
  deleteAclsV3,
  incrementalAlterConfigsV1,
} from "@platformatic/kafka";
import { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { kafkaRefusal } from "../cluster/kafka-error.ts";
import { request } from "../cluster/request.ts";
import { type KafkaAdminOptions, withDefaults } from "./kafka-admin.ts";

/** Numbers of the protocol. */
const OPERATIONS = { Read: 3, Write: 4, Delete: 6, Describe: 8 } as const;
const RESOURCES = { topic: 2, group: 3 } as const;
const MECHANISMS = { "SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2 } as const;
const LITERAL = 3;
const ALLOW = 3;
const BROKER_RESOURCE = 4 as const;
const SET = 0 as const;
const ITERATIONS = 4_096;

export interface AclRule {
  /** Such as `User:alice`. */
  readonly principal: string;
  readonly operation: keyof typeof OPERATIONS;
  readonly resource: keyof typeof RESOURCES;
  /** Name of the topic or group, `*` = all. */
  readonly name: string;
}

export interface KafkaSecurityAdmin {
  allow(...rules: readonly AclRule[]): Promise<void>;
  withdraw(...rules: readonly AclRule[]): Promise<void>;
  setScramPassword(
    username: string,
    password: string,
    mechanisms?: readonly (keyof typeof MECHANISMS)[],
  ): Promise<void>;
  /** A setting of one broker that needs no restart. */
  setBrokerConfig(nodeId: number, name: string, value: string): Promise<void>;
  close(): Promise<void>;
}

export function createSecurityAdmin(options: KafkaAdminOptions): KafkaSecurityAdmin {
  const cluster = new KafkaCluster(withDefaults(options));
  return {
    async allow(...rules) {
      const connection = await cluster.anyConnection();
      const { results } = await request(connection, createAclsV3.api, rules.map(aclOf));
      for (const { errorCode } of results) refuse(errorCode, "ACL");
    },
    async withdraw(...rules) {
      const connection = await cluster.anyConnection();
      const { filterResults } = await request(connection, deleteAclsV3.api, rules.map(aclOf));
      for (const { errorCode, matchingAcls } of filterResults) {
        refuse(errorCode, "ACL");
        if (matchingAcls.length === 0)
          throw new PenstockError("notFound", "There is no such ACL to withdraw.");
      }
    },
    async setScramPassword(name, password, mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"]) {
      const connection = await cluster.anyConnection();
      // Kafka takes one change of a user in a request.
      for (const mechanism of mechanisms) {
        const salt = randomBytes(16);
        const hash = mechanism === "SCRAM-SHA-256" ? "sha256" : "sha512";
        const bytes = mechanism === "SCRAM-SHA-256" ? 32 : 64;
        const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, bytes, hash);
        const change = { mechanism: MECHANISMS[mechanism], iterations: ITERATIONS };
        const user = { name, ...change, salt, saltedPassword };
        const { results } = await request(connection, alterUserScramCredentialsV0.api, [], [user]);
        for (const { errorCode } of results) refuse(errorCode, `user "${name}"`);
      }
    },
    async setBrokerConfig(nodeId, name, value) {
      const connection = await cluster.anyConnection();
      const resource = {
        resourceType: BROKER_RESOURCE,
        resourceName: String(nodeId),
        configs: [{ name, configOperation: SET, value }],
      };
      const { responses } = await request(
        connection,
        incrementalAlterConfigsV1.api,
        [resource],
        false,
      );
      for (const { errorCode } of responses) refuse(errorCode, `setting ${name}`);
    },
    close: async () => cluster.close(),
  };
}

function aclOf({ principal, operation, resource, name }: AclRule): Acl {
  return {
    resourceType: RESOURCES[resource],
    resourceName: name,
    resourcePatternType: LITERAL,
    principal,
    host: "*",
    operation: OPERATIONS[operation],
    permissionType: ALLOW,
  };
}

function refuse(errorCode: number, subject: string): void {
  if (errorCode !== 0) throw kafkaRefusal(errorCode, subject);
}
