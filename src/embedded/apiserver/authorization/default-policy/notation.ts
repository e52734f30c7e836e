/**
 * The notation of the default policy: a line with a role's name, then one indented line a rule, `verbs | API groups |
 * resources | names`, or `verbs | urls | paths`; `core` is the group without a name, `+` goes on with the line before.
 * `events`, `label KEY` and `aggregate KEY` are what they say. Pure.
 */
import type { PolicyRule } from "../authorizer.ts";

export interface DefaultRole {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly labels: Readonly<Record<string, string>>;
  /** Label that the roles carry whose rules this one collects. */
  readonly aggregates: string | undefined;
}

const verbSets: Readonly<Record<string, readonly string[]>> = {
  read: ["get", "list", "watch"],
  write: ["create", "update", "patch", "delete", "deletecollection"],
  readwrite: ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
  readupdate: ["get", "list", "watch", "update", "patch"],
};

const eventsRule = "create update patch | core events.k8s.io | events";

export function parseRoles(text: string): DefaultRole[] {
  const roles: DefaultRole[] = [];
  for (const block of text.replace(/\n\s+\+/g, "").split(/\n(?=\S)/)) {
    const [name = "", ...lines] = block.trim().split(/\n\s*/);
    if (name !== "") roles.push(parseRole(name, lines));
  }
  return roles;
}

function parseRole(name: string, lines: readonly string[]): DefaultRole {
  const rules: PolicyRule[] = [];
  const labels: Record<string, string> = {};
  let aggregates: string | undefined;
  for (const line of lines) {
    const [word = "", value = ""] = line.split(" ");
    if (word === "label") labels[value] = "true";
    else if (word === "aggregate") aggregates = value;
    else rules.push(parseRule(line === "events" ? eventsRule : line));
  }
  return { name, rules, labels, aggregates };
}

function parseRule(line: string): PolicyRule {
  const [verbs = [], groups = [], things = [], names = []] = line.split("|").map((part) => part.trim().split(/\s+/));
  const allVerbs = sorted(verbs.flatMap((verb) => verbSets[verb] ?? [verb]));
  if (groups[0] === "urls") return { verbs: allVerbs, nonResourceURLs: sorted(things) };
  const apiGroups = sorted(groups.map((group) => (group === "core" ? "" : group)));
  const rule = { verbs: allVerbs, apiGroups, resources: sorted(things) };
  return names.length === 0 ? rule : { ...rule, resourceNames: sorted(names) };
}

const sorted = (list: readonly string[]): string[] => [...new Set(list)].sort();
