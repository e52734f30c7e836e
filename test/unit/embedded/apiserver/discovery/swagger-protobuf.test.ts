import { describe, expect, test } from "vitest";
import { toSwaggerProtobuf } from "../../../../../src/embedded/apiserver/discovery/swagger-protobuf.ts";
import { coreKinds } from "../../../../../src/embedded/apiserver/registry/core-kinds.ts";
import { ProtobufReader } from "../../../../../src/embedded/apiserver/wire/protobuf-reader.ts";

/** The contents of one field of a message of strings and messages. */
function field(message: Buffer, wanted: number): Buffer[] {
  const reader = new ProtobufReader(message);
  const found: Buffer[] = [];
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    const bytes = reader.bytes(wireType);
    if (number === wanted) found.push(bytes);
  }
  return found;
}
const first = (message: Buffer, ...path: number[]) =>
  path.reduce((part, number) => field(part, number)[0] ?? Buffer.alloc(0), message);

describe("the OpenAPI v2 document in protobuf", () => {
  const document = toSwaggerProtobuf(coreKinds(), { title: "Kubernetes", version: "v1" });
  const paths = field(first(document, 8), 2);

  test("names the format and the API", () => {
    expect(String(first(document, 1))).toBe("2.0");
    expect(String(first(document, 2, 1))).toBe("Kubernetes");
  });

  test("the patch of a config map names its kind and the fieldValidation parameter", () => {
    const path = paths.find((one) => String(first(one, 1)) === "/api/v1/namespaces/{namespace}/configmaps/{name}");
    const patch = first(path ?? Buffer.alloc(0), 2, 8);
    const extensions = field(patch, 13).map((one) => [String(first(one, 1)), JSON.parse(String(first(one, 2, 2)))]);
    expect(Object.fromEntries(extensions)).toEqual({
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": { group: "", version: "v1", kind: "ConfigMap" },
    });
    const parameters = field(patch, 8).map((one) => String(first(one, 1, 2, 3, 4)));
    expect(parameters).toEqual(["dryRun", "fieldManager", "fieldValidation", "force"]);
    expect(field(patch, 7).map(String)).toContain("application/strategic-merge-patch+json");
  });
});
