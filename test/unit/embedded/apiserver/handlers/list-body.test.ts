import { describe, expect, test } from "vitest";
import { listBody } from "../../../../../src/embedded/apiserver/handlers/list-body.ts";
import type { Exchange } from "../../../../../src/embedded/apiserver/http/exchange.ts";
import type { ResponseForm } from "../../../../../src/embedded/apiserver/http/negotiate.ts";
import type { ResourceKind } from "../../../../../src/embedded/apiserver/registry/kind.ts";
import { StoredObject } from "../../../../../src/embedded/apiserver/storage/stored-object.ts";

const kind = { kind: "Thing", listKind: "ThingList", apiVersion: "v1", group: "", version: "v1", builtin: true };

function pieces(count: number, size: number, form: ResponseForm = "object"): string[] {
  const items = Array.from({ length: count }, (_, index) => {
    const name = `thing-${index}`;
    return new StoredObject(name, { apiVersion: "v1", kind: "Thing", metadata: { name }, text: "é".repeat(size) }, 1);
  });
  const page = { items, revision: 7, continueToken: "", remaining: undefined };
  return [...listBody({ form } as Exchange, kind as unknown as ResourceKind, page, 0)];
}

interface Names {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

describe("the pieces of a list", () => {
  test.each([
    ["no objects", 0, 10],
    ["one", 1, 10],
    ["many small ones", 5_000, 10],
    ["objects that each fill a piece, the last one too", 3, 70_000],
  ])("%s join to one text", (_name, count, size) => {
    for (const form of ["object", "metadata-list"] as const) {
      const { items } = JSON.parse(pieces(count, size, form).join("")) as Names;
      expect(items.map(({ metadata }) => metadata.name)).toEqual(
        Array.from({ length: count }, (_, index) => `thing-${index}`),
      );
    }
  });

  test("none is much larger than what is sent at once", () => {
    expect(Math.max(...pieces(5_000, 1_000).map((piece) => piece.length))).toBeLessThan(70_000);
  });
});
