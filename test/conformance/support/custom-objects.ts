/** Custom objects for cases: a definition with a schema for `spec`, and what creates or refuses an object of it. */
import { expect } from "vitest";
import type { Body } from "./api.ts";
import type { CaseTools, Definition, DefinitionOptions } from "./conformance-case.ts";

export interface CustomObjects {
  readonly definition: Definition;
  readonly collection: string;
  object(name: string, spec: unknown, more?: object): object;
  create(name: string, spec: unknown): Promise<Body>;
  /** The causes of the 422 that the object gets. */
  refuse(name: string, spec: unknown): Promise<readonly Body[]>;
}

/** `spec` is the schema of the objects' spec; of their status, anything. */
export async function customObjects(
  tools: CaseTools,
  spec: object,
  more: Partial<DefinitionOptions> = {},
): Promise<CustomObjects> {
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = { type: "object", properties: { spec, status: anything } };
  const definition = await tools.define({ kind: "Thing", schema, ...more });
  const collection = await definition.path();
  const object = (name: string, value: unknown, fields: object = {}) => ({
    apiVersion: definition.apiVersion(),
    kind: definition.kind,
    metadata: { name },
    spec: value,
    ...fields,
  });
  return {
    definition,
    collection,
    object,
    create: (name, value) => tools.api.post(collection, object(name, value)).expect(201),
    refuse: async (name, value) => {
      const status = await tools.api.post(collection, object(name, value)).refuse(422, "Invalid");
      expect(status.details).toMatchObject({ kind: definition.kind, group: definition.group, name });
      return status.details.causes;
    },
  };
}

/** A schema for an object of these properties. */
export const fields = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
