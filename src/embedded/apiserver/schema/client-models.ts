/** Reads the models of the pinned `@kubernetes/client-node`: the fields of a class, and which may be left out. */
import { readFileSync } from "node:fs";

const models = new URL("../../../../node_modules/@kubernetes/client-node/dist/gen/models/", import.meta.url);

export interface Attribute {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

export function readAttributes(model: string): Attribute[] {
  const source = readFileSync(new URL(`${model}.js`, models), "utf8");
  const json = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(source)?.[1] ?? "[]";
  return JSON.parse(json) as Attribute[];
}

/** Whether each field of the class may be left out. */
export function readOptional(model: string): ReadonlyMap<string, boolean> {
  const declaration = readFileSync(new URL(`${model}.d.ts`, models), "utf8");
  const fields = [...declaration.matchAll(/\n\s+'([^'\n]+)'(\?)?: /g)];
  return new Map(fields.map(([, name = "", mark]) => [name, mark === "?"]));
}
