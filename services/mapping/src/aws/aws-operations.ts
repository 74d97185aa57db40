/** The operations of the AWS face, each: request → input → command → answer. Nothing is judged here. */
import { type ArnScope, PenstockError, readTagKeys } from "@penstock/core";
import type { Caller, Role } from "@penstock/runtime";
import type { MappingCommands } from "../commands/mapping-commands.ts";
import type { MappingView } from "../store/mapping-views.ts";
import type { JsonMembers } from "./request/json-members.ts";
import { readListQuery, writeMarker } from "./request/list-query.ts";
import { createInput, updateInput } from "./request/mapping-members.ts";
import { listedConfiguration, mappingConfiguration } from "./response/mapping-configuration.ts";
import type { AwsAnswer } from "./wire/aws-answer.ts";
import type { OperationName } from "./wire/aws-route.ts";

interface OperationContext {
  readonly commands: MappingCommands;
  readonly scope: ArnScope;
}

interface OperationRequest {
  readonly caller: Caller;
  /** UUID or ARN of the path. */
  readonly label: string;
  readonly query: URLSearchParams;
  readonly body: JsonMembers;
}

export interface Operation {
  /** What the caller must be. */
  readonly role: Role;
  /** Whether a body is looked at. */
  readonly hasBody: boolean;
  /** What a `notFound` of it says; absent: AWS's words for an unknown mapping. */
  readonly missing?: (label: string) => string;
  run(context: OperationContext, request: OperationRequest): Promise<AwsAnswer>;
}

const NO_CONTENT: AwsAnswer = { status: 204, body: null };
const MAPPING_OF_ARN_MISSING = (arn: string) => `Event source mapping not found: ${arn}`;

export const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  CreateEventSourceMapping: {
    role: "operator",
    hasBody: true,
    async run({ commands, scope }, { caller, body }) {
      return accepted(await commands.create(caller, createInput(body)), scope);
    },
  },

  GetEventSourceMapping: {
    role: "viewer",
    hasBody: false,
    async run({ commands, scope }, { label }) {
      return { status: 200, body: configurationOf(await commands.get(label), scope) };
    },
  },

  ListEventSourceMappings: {
    role: "viewer",
    hasBody: false,
    async run({ commands, scope }, { query }) {
      const { filter, after, size } = readListQuery(query);
      const { mappings, next } = await commands.list(filter, after, size);
      const body = {
        EventSourceMappings: mappings.map((stored) => listedConfiguration(stored, scope)),
        ...(next !== null && { NextMarker: writeMarker(filter, next) }),
      };
      return { status: 200, body };
    },
  },

  UpdateEventSourceMapping: {
    role: "operator",
    hasBody: true,
    async run({ commands, scope }, { caller, label, body }) {
      return accepted(await commands.update(caller, label, updateInput(body), null), scope);
    },
  },

  DeleteEventSourceMapping: {
    role: "operator",
    hasBody: false,
    async run({ commands, scope }, { caller, label }) {
      return accepted(await commands.delete(caller, label), scope);
    },
  },

  ListTags: {
    role: "viewer",
    hasBody: false,
    missing: MAPPING_OF_ARN_MISSING,
    async run({ commands }, { label }) {
      return { status: 200, body: { Tags: Object.fromEntries(await commands.tags(label)) } };
    },
  },

  TagResource: {
    role: "operator",
    hasBody: true,
    missing: MAPPING_OF_ARN_MISSING,
    async run({ commands }, { caller, label, body }) {
      const tags = body.stringMap("Tags");
      if (tags === undefined) throw tagsMissing();
      await commands.tag(caller, label, tags);
      return NO_CONTENT;
    },
  },

  UntagResource: {
    role: "operator",
    hasBody: false,
    missing: MAPPING_OF_ARN_MISSING,
    async run({ commands }, { caller, label, query }) {
      const keys = query.has("tagKeys") ? query.getAll("tagKeys") : undefined;
      await commands.untag(caller, label, [...readTagKeys(keys)]);
      return NO_CONTENT;
    },
  },
};

function accepted(view: MappingView, scope: ArnScope): AwsAnswer {
  return { status: 202, body: configurationOf(view, scope) };
}

function configurationOf({ mapping, filterError }: MappingView, scope: ArnScope): object {
  return mappingConfiguration(mapping, scope, filterError);
}

function tagsMissing(): PenstockError {
  const description = "Tags is required.";
  const constraint = "Member must not be null";
  return new PenstockError("invalidArgument", description, {
    violations: [
      {
        field: "tags",
        description,
        aws: { kind: "constraint", member: "tags", value: null, constraint },
      },
    ],
  });
}
