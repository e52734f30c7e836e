/** Whether every default of a schema is valid by the schema that it stands in, and names no unknown field. Pure. */
import { deepEqual } from "../json-value.ts";
import type { StatusCause } from "../status.ts";
import { cause } from "../status.ts";
import { compiledRulesOf } from "./compiled-rules.ts";
import { checkEmbedded } from "./embedded-resource.ts";
import { evaluateRules } from "./evaluate-rules.ts";
import { pruneUnknown } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { validateStructure } from "./validate.ts";

export function checkDefaults(schema: Schema, path: string): StatusCause[] {
  const findings = schema.default === undefined ? [] : checkDefault(schema, `${path}.default`);
  // Defaults are forbidden below additionalProperties of metadata only, but the server does not look there either.
  if (schema.items !== undefined) findings.push(...checkDefaults(schema.items, `${path}.items`));
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    findings.push(...checkDefaults(child, `${path}.properties[${name}]`));
  return findings;
}

function checkDefault(schema: Schema, path: string): StatusCause[] {
  const isResource = schema["x-kubernetes-embedded-resource"] === true;
  const pruned = pruneUnknown(schema.default, schema, { isRoot: isResource });
  const findings = deepEqual(pruned.value, schema.default)
    ? []
    : [cause.invalid(path, schema.default, "must not have unknown fields")];
  const embedded = checkEmbedded(schema.default, schema, path);
  if (embedded.length > 0) return [...findings, ...embedded];
  const structure = validateStructure(schema.default, schema).map((finding) => within(path, finding));
  if (structure.length > 0) return [...findings, ...structure];
  return [...findings, ...checkRulesOnDefault(schema).map((finding) => within(path, finding))];
}

/** A default must hold both as a value that was there before and as one that is new. */
function checkRulesOnDefault(schema: Schema): StatusCause[] {
  const rules = compiledRulesOf(schema);
  if (!rules.isWithin(schema)) return [];
  const asUpdate = evaluateRules(rules, schema, schema.default, { old: schema.default, isOldJudged: false });
  const findings = [...asUpdate.findings, ...asUpdate.warnings];
  return findings.length > 0
    ? findings
    : evaluateRules(rules, schema, schema.default, { old: undefined, isOldJudged: false }).findings;
}

function within(path: string, finding: StatusCause): StatusCause {
  const field = finding.field ?? "<nil>";
  if (field === "<nil>") return { ...finding, field: path };
  return { ...finding, field: field.startsWith("[") ? `${path}${field}` : `${path}.${field}` };
}
