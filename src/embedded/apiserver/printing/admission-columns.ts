/** Table columns of admission policies, webhooks and flow control. Pure. */
import { asArray, asObject, asString, isObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { ageColumn, column, conditionOf, formatSelector, nameColumn } from "./common-columns.ts";

const integer = { type: "integer" } as const;

const paramKind = column("ParamKind", (o) => {
  const kind = specOf(o).paramKind;
  return isObject(kind) ? `${asString(kind.apiVersion)}/${asString(kind.kind)}` : "<unset>";
});

export const validatingPolicyColumns: readonly Column[] = [
  nameColumn,
  column("Validations", (o) => asArray(specOf(o).validations).length, integer),
  paramKind,
  ageColumn,
];

export const mutatingPolicyColumns: readonly Column[] = [
  nameColumn,
  column("Mutations", (o) => asArray(specOf(o).mutations).length, integer),
  paramKind,
  ageColumn,
];

export const policyBindingColumns: readonly Column[] = [
  nameColumn,
  column("PolicyName", (o) => specOf(o).policyName ?? ""),
  column("ParamRef", paramRef),
  ageColumn,
];

function paramRef(binding: KubeObject): string {
  const reference = specOf(binding).paramRef;
  if (!isObject(reference)) return "<unset>";
  const name = asString(reference.name);
  if (name !== "") return `${asString(reference.namespace) || "*"}/${name}`;
  return reference.selector === undefined ? "<unset>" : formatSelector(reference.selector);
}

export const webhookColumns: readonly Column[] = [
  nameColumn,
  column("Webhooks", (o) => asArray(o.webhooks).length, integer),
  ageColumn,
];

export const flowSchemaColumns: readonly Column[] = [
  nameColumn,
  column("PriorityLevel", (o) => asObject(specOf(o).priorityLevelConfiguration).name ?? ""),
  column("MatchingPrecedence", (o) => specOf(o).matchingPrecedence ?? 0),
  column("DistinguisherMethod", (o) => asObject(specOf(o).distinguisherMethod).type ?? "<none>"),
  ageColumn,
  column("MissingPL", (o) => conditionOf(o, "Dangling")?.status ?? "?"),
];

const limited = (o: KubeObject) => asObject(specOf(o).limited);
const queuing = (o: KubeObject) => asObject(asObject(limited(o).limitResponse).queuing);

export const priorityLevelColumns: readonly Column[] = [
  nameColumn,
  column("Type", (o) => specOf(o).type ?? ""),
  column("NominalConcurrencyShares", (o) => limited(o).nominalConcurrencyShares ?? "<none>"),
  column("Queues", (o) => queuing(o).queues ?? "<none>"),
  column("HandSize", (o) => queuing(o).handSize ?? "<none>"),
  column("QueueLengthLimit", (o) => queuing(o).queueLengthLimit ?? "<none>"),
  ageColumn,
];
