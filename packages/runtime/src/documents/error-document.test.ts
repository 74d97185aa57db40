import { readFileSync } from "node:fs";
import { ERROR_TABLE, type ErrorRow } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { ERROR_DOCUMENT_MARK, renderErrorTable } from "./error-document.ts";

describe("the error table", () => {
  it.each(Object.entries<ErrorRow>(ERROR_TABLE))("says what %s means", (_code, { meaning }) => {
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    // Stands in a cell of a table.
    expect(meaning).not.toMatch(/[|\n]/);
  });

  it("is what docs/operating/errors.md shows (node packages/runtime/scripts/write-documents.ts)", () => {
    const file = new URL("../../../../docs/operating/errors.md", import.meta.url);
    const [, table] = readFileSync(file, "utf8").split(ERROR_DOCUMENT_MARK);
    expect(table?.trim()).toBe(renderErrorTable().trim());
  });
});
