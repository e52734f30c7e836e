/** Field selectors: `a=b,c!=d` over the fields a kind declares selectable. An unknown field is a 400. Pure. */
import type { KubeObject } from "../object.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { badRequest } from "../status.ts";

export type FieldMatcher = (object: KubeObject) => boolean;

const metadataFields: ResourceKind["selectableFields"] = {
  "metadata.name": (object) => object.metadata.name,
  "metadata.namespace": (object) => object.metadata.namespace ?? "",
};

export function parseFieldSelector(text: string, kind: ResourceKind): FieldMatcher | undefined {
  if (text.trim() === "") return undefined;
  const terms = splitTerms(text).map((term) => parseTerm(term, kind));
  return (object) => terms.every((holds) => holds(object));
}

function splitTerms(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((term) => term.trim())
    .filter((term) => term !== "");
}

function parseTerm(term: string, kind: ResourceKind): FieldMatcher {
  const match = /^([^=!]+?)(==|=|!=)(.*)$/.exec(term);
  const [, field = "", operator = "", rawValue = ""] = match ?? [];
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  const read = metadataFields[field] ?? kind.selectableFields[field];
  if (read === undefined) throw badRequest(`field label not supported: ${field}`);
  const value = rawValue.replace(/\\([,=\\])/g, "$1");
  return operator === "!=" ? (object) => read(object) !== value : (object) => read(object) === value;
}
