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
  const terms = splitTerms(text).map((term) => parseTerm(term, kind));
  return terms.length === 0 ? undefined : (object) => terms.every((holds) => holds(object));
}

/** The one value that `field` must have, where the selector says so. */
export function exactMatch(text: string, field: string): string | undefined {
  return splitTerms(text)
    .map(readTerm)
    .find((term) => term.field === field && term.equal)?.value;
}

function splitTerms(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((term) => term.trim())
    .filter((term) => term !== "");
}

function readTerm(term: string): { readonly field: string; readonly equal: boolean; readonly value: string } {
  const match = /^([^=!]+?)(==|=|!=)(.*)$/.exec(term);
  const [, field = "", operator = "", rawValue = ""] = match ?? [];
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  return { field, equal: operator !== "!=", value: rawValue.replace(/\\([,=\\])/g, "$1") };
}

function parseTerm(term: string, kind: ResourceKind): FieldMatcher {
  const { field, equal, value } = readTerm(term);
  const read = metadataFields[field] ?? kind.selectableFields[field];
  if (read === undefined) throw unknownField(field, kind);
  return (object) => (read(object) === value) === equal;
}

function unknownField(field: string, kind: ResourceKind): Error {
  if (!kind.builtin || Object.keys(kind.selectableFields).length > 0)
    return badRequest(`field label not supported: ${field}`);
  return badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}
