/** The contract with its comments, as the manual needs it: from a file descriptor set with source information. */
import { fromBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  type ServiceDescriptorProto,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

export interface Package {
  readonly name: string;
  /** Of its files with services. */
  readonly comments: readonly string[];
  /** The one with most calls first. */
  readonly services: readonly Service[];
  readonly messages: readonly Message[];
  readonly enums: readonly Enum[];
}

export interface Service {
  readonly name: string;
  readonly comment: string;
  readonly methods: readonly Method[];
}

export interface Method {
  readonly name: string;
  readonly comment: string;
  /** Full names. */
  readonly request: string;
  readonly response: string;
  readonly isRequestStream: boolean;
  readonly isResponseStream: boolean;
}

export interface Message {
  readonly fullName: string;
  readonly comment: string;
  readonly fields: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly number: number;
  readonly comment: string;
  readonly type: FieldType;
  readonly isOptional: boolean;
  /** Name of the choice that it belongs to. */
  readonly choice: string | null;
}

export type FieldType =
  | { readonly kind: "scalar" | "named"; readonly name: string; readonly isRepeated: boolean }
  | { readonly kind: "map"; readonly key: string; readonly value: FieldType };

export interface Enum {
  readonly fullName: string;
  readonly comment: string;
  readonly values: readonly { readonly name: string; readonly comment: string }[];
}

type Comment = (...path: readonly number[]) => string;

/** Field numbers in descriptor.proto, of which the paths of comments are made. */
const IN_FILE = { package: 2, message: 4, enum: 5, service: 6 };
const IN_MESSAGE = { field: 2 };
const CHILD = 2;

/** Packages by name, with the files in the order of the set; `google.*` is left out. */
export function readContract(descriptorSet: Uint8Array): Package[] {
  const packages = new Map<string, FileDescriptorProto[]>();
  for (const file of fromBinary(FileDescriptorSetSchema, descriptorSet).file) {
    if (file.package.startsWith("google.")) continue;
    packages.set(file.package, [...(packages.get(file.package) ?? []), file]);
  }
  return [...packages].map(([name, files]) => ({
    name,
    comments: byCalls(files.filter(({ service }) => service.length > 0)).map(fileComment),
    services: byCalls(files).flatMap((file) =>
      file.service.map((service, index) => readService(service, index, commentsOf(file))),
    ),
    messages: files.flatMap((file) =>
      file.messageType.map((message, index) =>
        readMessage(message, `${name}.${message.name}`, index, commentsOf(file)),
      ),
    ),
    enums: files.flatMap((file) =>
      file.enumType.map((one, index) => readEnum(one, name, index, commentsOf(file))),
    ),
  }));
}

function byCalls(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const calls = ({ service }: FileDescriptorProto): number =>
    service.reduce((sum, { method }) => sum + method.length, 0);
  return files.toSorted((a, b) => calls(b) - calls(a));
}

function commentsOf(file: FileDescriptorProto): Comment {
  const texts = new Map(
    file.sourceCodeInfo?.location.map(({ path, leadingComments }) => [
      path.join("."),
      // One space after the slashes belongs to the slashes.
      leadingComments.replace(/^ /gm, "").trim(),
    ]),
  );
  return (...path) => texts.get(path.join(".")) ?? "";
}

/** What stands before `package`: what the file is about. */
function fileComment(file: FileDescriptorProto): string {
  return commentsOf(file)(IN_FILE.package);
}

function readService(service: ServiceDescriptorProto, index: number, comment: Comment): Service {
  return {
    name: service.name,
    comment: comment(IN_FILE.service, index),
    methods: service.method.map((method, child) => ({
      name: method.name,
      comment: comment(IN_FILE.service, index, CHILD, child),
      request: method.inputType.slice(1),
      response: method.outputType.slice(1),
      isRequestStream: method.clientStreaming,
      isResponseStream: method.serverStreaming,
    })),
  };
}

function readMessage(
  message: DescriptorProto,
  fullName: string,
  index: number,
  comment: Comment,
): Message {
  return {
    fullName,
    comment: comment(IN_FILE.message, index),
    fields: message.field.map((field, child) => ({
      name: field.name,
      number: field.number,
      comment: comment(IN_FILE.message, index, IN_MESSAGE.field, child),
      type: readType(field, message),
      isOptional: field.proto3Optional,
      choice:
        field.oneofIndex === undefined || field.proto3Optional || !hasOneof(field)
          ? null
          : (message.oneofDecl[field.oneofIndex]?.name ?? null),
    })),
  };
}

/** The field's index is 0 also when it is not set; presence tells. */
function hasOneof(field: FieldDescriptorProto): boolean {
  return Object.hasOwn(field, "oneofIndex");
}

function readType(field: FieldDescriptorProto, message: DescriptorProto): FieldType {
  const isRepeated = field.label === Label.REPEATED;
  if (field.type !== Type.MESSAGE && field.type !== Type.ENUM)
    return { kind: "scalar", name: Type[field.type].toLowerCase(), isRepeated };
  const name = field.typeName.slice(1);
  const entry = message.nestedType.find(
    (nested) => nested.options?.mapEntry === true && name.endsWith(`.${nested.name}`),
  );
  const [key, value] = entry?.field ?? [];
  if (entry === undefined || key === undefined || value === undefined)
    return { kind: "named", name, isRepeated };
  return { kind: "map", key: Type[key.type].toLowerCase(), value: readType(value, entry) };
}

function readEnum(one: EnumDescriptorProto, name: string, index: number, comment: Comment): Enum {
  return {
    fullName: `${name}.${one.name}`,
    comment: comment(IN_FILE.enum, index),
    values: one.value.map((value, child) => ({
      name: value.name,
      comment: comment(IN_FILE.enum, index, CHILD, child),
    })),
  };
}
