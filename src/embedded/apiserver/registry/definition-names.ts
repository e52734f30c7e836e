/**
 * Which of its names a custom resource definition gets: a name belongs to whichever definition of the group had it
 * first. Answers the accepted names and the conditions that tell of them. Pure.
 */
import { asArray, asObject, asString, deepEqual, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";

export interface NamesDecision {
  readonly acceptedNames: JsonObject;
  readonly conditions: readonly JsonObject[];
}

interface Conflict {
  readonly reason: string;
  readonly message: string;
}

/** `others` are all other definitions. Times of conditions whose status stays are kept. */
export function decideNames(definition: KubeObject, others: readonly KubeObject[], time: string): NamesDecision {
  const taken = takenNames(asString(specOf(definition).group), others);
  const wanted = asObject(specOf(definition).names);
  const accepted: JsonObject = { ...asObject(statusOf(definition).acceptedNames) };
  const conflict = acceptAll(wanted, accepted, taken);
  const before = asArray(statusOf(definition).conditions).map(asObject);
  const names = namesCondition(conflict);
  const wasEstablished = isTrue(before, "Established");
  const established = wasEstablished || conflict === undefined ? establishedCondition : notAccepted;
  const decided = withCondition(withCondition(before, names, time), established, time);
  return { acceptedNames: accepted, conditions: decided };
}

function takenNames(group: string, others: readonly KubeObject[]) {
  const accepted = others
    .filter((other) => asString(specOf(other).group) === group)
    .map((other) => asObject(statusOf(other).acceptedNames));
  const resources = accepted.flatMap((names) => [names.plural, names.singular, ...asArray(names.shortNames)]);
  const kinds = accepted.flatMap((names) => [names.kind, names.listKind]);
  return { resources: new Set(resources.map(asString)), kinds: new Set(kinds.map(asString)) };
}

const nameFields = [
  { field: "plural", reason: "PluralConflict", among: "resources" },
  { field: "singular", reason: "SingularConflict", among: "resources" },
  { field: "shortNames", reason: "ShortNamesConflict", among: "resources" },
  { field: "kind", reason: "KindConflict", among: "kinds" },
  { field: "listKind", reason: "ListKindConflict", among: "kinds" },
] as const;

/** Takes over what is free into `accepted`. Answers the last conflict, which is the one that the condition tells. */
function acceptAll(
  wanted: JsonObject,
  accepted: JsonObject,
  taken: ReturnType<typeof takenNames>,
): Conflict | undefined {
  let conflict: Conflict | undefined;
  for (const { field, reason, among } of nameFields) {
    const own = new Set(namesOf(accepted[field]));
    const inUse = namesOf(wanted[field]).filter((name) => !own.has(name) && taken[among].has(name));
    if (inUse.length > 0) conflict = { reason, message: wordConflicts(inUse) };
    else if (wanted[field] !== undefined) accepted[field] = wanted[field];
    else delete accepted[field];
  }
  if (wanted.categories === undefined) delete accepted.categories;
  else accepted.categories = wanted.categories;
  return conflict;
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(asString) : [asString(value)].filter((name) => name !== "");
}

function wordConflicts(names: readonly string[]): string {
  const texts = names.map((name) => `${JSON.stringify(name)} is already in use`);
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

function namesCondition(conflict: Conflict | undefined): JsonObject {
  if (conflict === undefined)
    return { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" };
  return { type: "NamesAccepted", status: "False", ...conflict };
}

/** Definitions are served in the same turn in which their names are accepted. */
const establishedCondition: JsonObject = {
  type: "Established",
  status: "True",
  reason: "InitialNamesAccepted",
  message: "the initial names have been accepted",
};
const notAccepted: JsonObject = {
  type: "Established",
  status: "False",
  reason: "NotAccepted",
  message: "not all names are accepted",
};

export function isTrue(conditions: readonly JsonObject[], type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === "True");
}

/** The conditions with this one in its place, or last. */
export function withCondition(conditions: readonly JsonObject[], next: JsonObject, time: string): JsonObject[] {
  const before = conditions.find((condition) => condition.type === next.type);
  const lastTransitionTime = before?.status === next.status ? before?.lastTransitionTime : time;
  const stamped = { ...next, lastTransitionTime };
  if (before === undefined) return [...conditions, stamped];
  return conditions.map((condition) => {
    if (condition !== before) return condition;
    return deepEqual(condition, stamped) ? condition : stamped;
  });
}

/** A definition whose names were accepted once is served, even where a later change of names is in conflict. */
export function isServed(definition: KubeObject): boolean {
  const conditions = asArray(statusOf(definition).conditions).map(asObject);
  return isTrue(conditions, "NamesAccepted") || isTrue(conditions, "Established");
}
