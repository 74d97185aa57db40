/** The manual of the API in Markdown: for each package its services, each call with its messages; then what they share. */
import type { Enum, Field, FieldType, Message, Method, Package, Service } from "./read-contract.ts";

/** Packages that users call, in the order in which they need them; the others follow. */
const ORDER = [
  "penstock.mapping.v1",
  "penstock.function.v1",
  "penstock.invoker.v1",
  "penstock.poller.v1",
  "penstock.fleet.v1",
];

export function renderManual(preface: string, packages: readonly Package[]): string {
  const place = ({ name }: Package): number => {
    const index = ORDER.indexOf(name);
    return index < 0 ? ORDER.length : index;
  };
  const sorted = packages.toSorted((a, b) => place(a) - place(b));
  return `${[
    "<!-- Written by `npm run generate` from proto/ and scripts/api-manual/preface.md: change those. -->",
    preface.trim(),
    "## Contents",
    sorted.map(contents).join("\n"),
    ...sorted.flatMap(renderPackage),
  ].join("\n\n")}\n`;
}

function contents({ name, services, messages, enums }: Package): string {
  const lines = services.flatMap((service) => [
    `  - ${link(`${name}.${service.name}`, service.name)}: ${service.methods
      .map((method) => link(`${name}.${service.name}.${method.name}`, method.name))
      .join(" · ")}`,
  ]);
  const shared = sharedMessages(services, messages);
  const more = [
    ...(shared.length > 0 ? [link(`${name}.messages`, "messages")] : []),
    ...(enums.length > 0 ? [link(`${name}.enums`, "enums")] : []),
  ];
  if (more.length > 0) lines.push(`  - ${more.join(" · ")}`);
  return [`- ${link(name, name)}`, ...lines].join("\n");
}

function renderPackage({ name, comments, services, messages, enums }: Package): string[] {
  const byName = new Map(messages.map((message) => [message.fullName, message]));
  const shared = sharedMessages(services, messages);
  return [
    heading(2, name, name),
    ...comments.map(prose),
    ...services.flatMap((service) => renderService(name, service, byName)),
    ...(shared.length > 0 ? [heading(3, `${name}.messages`, `Messages of ${name}`)] : []),
    ...shared.flatMap((message) => renderMessage(message, 4)),
    ...(enums.length > 0 ? [heading(3, `${name}.enums`, `Enums of ${name}`)] : []),
    ...enums.flatMap(renderEnum),
  ];
}

/** Those that are not just the request or the answer of one call. */
function sharedMessages(
  services: readonly Service[],
  messages: readonly Message[],
): readonly Message[] {
  const uses = services.flatMap(({ methods }) =>
    methods.flatMap(({ request, response }) => [request, response]),
  );
  return messages.filter(({ fullName }) => !uses.includes(fullName));
}

function renderService(
  name: string,
  { name: service, comment, methods }: Service,
  messages: ReadonlyMap<string, Message>,
): string[] {
  return [
    heading(3, `${name}.${service}`, service),
    prose(comment),
    ...methods.flatMap((method) => renderMethod(`${name}.${service}`, method, messages)),
  ];
}

function renderMethod(
  service: string,
  method: Method,
  messages: ReadonlyMap<string, Message>,
): string[] {
  const stream = (is: boolean): string => (is ? "stream of " : "");
  const request = link(method.request, shortName(method.request));
  const response = link(method.response, shortName(method.response));
  return [
    heading(4, `${service}.${method.name}`, method.name),
    `\`${service}/${method.name}\`: ${stream(method.isRequestStream)}${request} → ${stream(method.isResponseStream)}${response}`,
    prose(method.comment),
    ...[method.request, method.response].flatMap((name) => {
      const message = messages.get(name);
      return message === undefined ? [] : renderMessage(message, 5);
    }),
  ];
}

function renderMessage({ fullName, comment, fields }: Message, level: number): string[] {
  return [
    heading(level, fullName, shortName(fullName)),
    prose(comment),
    ...(fields.length > 0
      ? [table(["field", "type", "meaning"], fields.map(renderField))]
      : ["No fields."]),
  ];
}

function renderField(field: Field): string[] {
  const notes = [
    ...(field.isOptional ? ["optional"] : []),
    ...(field.choice === null ? [] : [`one of \`${field.choice}\``]),
  ];
  const type = [renderType(field.type), ...notes].join(", ");
  return [`\`${field.name}\``, type, cell(field.comment)];
}

function renderType(type: FieldType): string {
  if (type.kind === "map") return `map of ${type.key} to ${renderType(type.value)}`;
  const isOurs = type.kind === "named" && !type.name.startsWith("google.");
  const name = isOurs ? link(type.name, shortName(type.name)) : wellKnown(type.name);
  return type.isRepeated ? `list of ${name}` : name;
}

function wellKnown(name: string): string {
  return name.startsWith("google.")
    ? `[${shortName(name)}](https://protobuf.dev/reference/protobuf/google.protobuf/)`
    : name;
}

function renderEnum({ fullName, comment, values }: Enum): string[] {
  return [
    heading(4, fullName, shortName(fullName)),
    prose(comment),
    table(
      ["value", "meaning"],
      values.map(({ name, comment: meaning }) => [`\`${name}\``, cell(meaning)]),
    ),
  ];
}

function heading(level: number, id: string, text: string): string {
  return `<a id="${id}"></a>\n\n${"#".repeat(level)} ${text}`;
}

function link(id: string, text: string): string {
  return `[${text}](#${id})`;
}

function shortName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf(".") + 1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Comments are Markdown, but for what looks like HTML. */
function prose(comment: string): string {
  return comment
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 0 ? part.replaceAll("<", "&lt;") : part))
    .join("");
}

function cell(comment: string): string {
  return prose(comment).replace(/\n\n+/g, "<br>").replaceAll("\n", " ").replaceAll("|", "\\|");
}
