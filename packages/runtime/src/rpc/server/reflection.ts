/**
 * Server reflection (v1 and v1alpha have the same messages under two names), from the descriptors that the services were generated with.
 * Tools such as grpcurl ask it which services there are and what their messages look like.
 */
import {
  create,
  createRegistry,
  type DescFile,
  type DescService,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import {
  type ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../generated/grpc/reflection/v1/reflection_pb.ts";

type Answer = ServerReflectionResponse["messageResponse"];

export function createReflection(
  services: readonly DescService[],
  files: readonly DescFile[] = [],
): ServiceImpl<typeof ServerReflection> {
  const roots = [...services.map((service) => service.file), ...files];
  const byName = new Map(withImports(roots).map((file) => [file.proto.name, file]));
  const registry = createRegistry(...byName.values());

  const answer = (question: ServerReflectionRequest["messageRequest"]): Answer => {
    switch (question.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: {
            $typeName: "grpc.reflection.v1.ListServiceResponse",
            service: services.map(({ typeName }) => ({
              $typeName: "grpc.reflection.v1.ServiceResponse",
              name: typeName,
            })),
          },
        };
      case "fileByFilename":
        return fileAnswer(byName.get(question.value));
      case "fileContainingSymbol":
        return fileAnswer(fileOfSymbol(registry, question.value));
      case "fileContainingExtension":
      case "allExtensionNumbersOfType":
        return failure(Code.NotFound, "no extensions are declared here");
      default:
        return failure(Code.InvalidArgument, "ask for one of the message_request fields");
    }
  };

  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield create(ServerReflectionResponseSchema, {
          validHost: request.host,
          originalRequest: request,
          messageResponse: answer(request.messageRequest),
        });
      }
    },
  };
}

function fileAnswer(file: DescFile | undefined): Answer {
  if (file === undefined) return failure(Code.NotFound, "not found");
  return {
    case: "fileDescriptorResponse",
    value: {
      $typeName: "grpc.reflection.v1.FileDescriptorResponse",
      fileDescriptorProto: withImports([file]).map(({ proto }) =>
        toBinary(FileDescriptorProtoSchema, proto),
      ),
    },
  };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return {
    case: "errorResponse",
    value: { $typeName: "grpc.reflection.v1.ErrorResponse", errorCode, errorMessage },
  };
}

/** A type, or a member of one: methods, fields, oneofs and values are declared where their parent is. */
function fileOfSymbol(registry: Registry, symbol: string): DescFile | undefined {
  const name = symbol.replace(/^\./, "");
  const parent = name.slice(0, Math.max(0, name.lastIndexOf(".")));
  return (registry.get(name) ?? memberParent(registry, parent, name.slice(parent.length + 1)))
    ?.file;
}

function memberParent(registry: Registry, parentName: string, member: string) {
  const parent = registry.get(parentName);
  switch (parent?.kind) {
    case "service":
      return parent.methods.some(({ name }) => name === member) ? parent : undefined;
    case "message":
      return [...parent.fields, ...parent.oneofs].some(({ name }) => name === member)
        ? parent
        : undefined;
    case "enum":
      return parent.values.some(({ name }) => name === member) ? parent : undefined;
    default:
      return undefined;
  }
}

/** The files and all that they import, each once, and before everything that it imports itself. */
function withImports(files: readonly DescFile[]): DescFile[] {
  const ordered: DescFile[] = [];
  const seen = new Set<DescFile>();
  const visit = (file: DescFile): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const dependency of file.dependencies) visit(dependency);
    ordered.push(file);
  };
  for (const file of files) visit(file);
  return ordered.reverse();
}
