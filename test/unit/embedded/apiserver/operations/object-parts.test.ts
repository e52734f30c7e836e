import { expect, test } from "vitest";
import { dropEmptyMetadata } from "../../../../../src/embedded/apiserver/operations/object-parts.ts";

test("empty collections of metadata are not kept", () => {
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", labels: {}, ownerReferences: [], finalizers: ["f"] },
  };
  dropEmptyMetadata(object);
  expect(object.metadata).toEqual({ name: "c", finalizers: ["f"] });
});
