/**
 * Rights as text, `verb group/resource in namespace`: those that docs/rbac.md gives a role with a reason, and those that can be asked a server
 * about, which is every verb of every resource that it serves, and what has a meaning for RBAC alone. Effects: requests for discovery.
 */
import { readFileSync } from "node:fs";
import type { ConformanceApi } from "../conformance/support/api.ts";
import { system, tenant } from "./rbac-cluster.ts";

export interface Right {
  readonly verb: string;
  readonly group: string;
  /** With its subresource, such as pods/exec. */
  readonly resource: string;
  /** Empty: of the cluster, or of all namespaces together. */
  readonly namespace: string;
}

const namespaces = [system, "default", tenant];
const allVerbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const wide = new Set(["list", "watch", "deletecollection"]);
const rbac = "rbac.authorization.k8s.io";

/** What discovery does not name, or not with these verbs. */
const special: readonly { group: string; resource: string; namespaced: boolean; verbs: readonly string[] }[] = [
  ...["users", "groups", "serviceaccounts"].map((resource) => ({
    ...{ group: "", resource, namespaced: resource === "serviceaccounts", verbs: ["impersonate"] },
  })),
  { group: "authentication.k8s.io", resource: "userextras/scopes", namespaced: false, verbs: ["impersonate"] },
  { group: rbac, resource: "roles", namespaced: true, verbs: ["bind", "escalate"] },
  { group: rbac, resource: "clusterroles", namespaced: false, verbs: ["bind", "escalate"] },
  { group: "certificates.k8s.io", resource: "signers", namespaced: false, verbs: ["approve", "sign", "attest"] },
  { group: "", resource: "nodes/proxy", namespaced: false, verbs: ["get", "create"] },
  ...["exec", "attach", "portforward", "proxy", "log", "ephemeralcontainers", "eviction", "binding"].map((name) => ({
    ...{ group: "", resource: `pods/${name}`, namespaced: true, verbs: ["get", "create", "patch"] },
  })),
  { group: "", resource: "services/proxy", namespaced: true, verbs: ["get", "create"] },
  { group: "", resource: "serviceaccounts/token", namespaced: true, verbs: ["create"] },
  { group: "*", resource: "*", namespaced: false, verbs: ["*"] },
];

export function format({ verb, group, resource, namespace }: Right): string {
  return `${verb} ${group === "" ? "core" : group}/${resource} in ${namespace === "" ? "the cluster" : namespace}`;
}

/** Everything that can be asked about. */
export async function listAskable(admin: ConformanceApi): Promise<Right[]> {
  const found = [...(await listServed(admin)), ...special];
  const rights = found.flatMap(({ group, resource, namespaced, verbs }) =>
    [...new Set(verbs)].flatMap((verb) => {
      const where = namespaced ? [...namespaces, ...(wide.has(verb) ? [""] : [])] : [""];
      return where.map((namespace) => ({ verb, group, resource, namespace }));
    }),
  );
  return [...new Map(rights.map((right) => [format(right), right])).values()];
}

async function listServed(admin: ConformanceApi): Promise<(typeof special)[number][]> {
  const { groups } = await admin.get("/apis").expect(200);
  const versions: string[] = groups.map((one: { preferredVersion: { groupVersion: string } }) => {
    return `/apis/${one.preferredVersion.groupVersion}`;
  });
  const lists = await Promise.all(["/api/v1", ...versions].map((path) => admin.get(path).expect(200)));
  return lists.flatMap(({ groupVersion, resources }) =>
    resources.map((one: { name: string; namespaced: boolean; group?: string }) => ({
      group: groupVersion.includes("/") ? groupVersion.split("/")[0] : "",
      ...{ resource: one.name, namespaced: one.namespaced, verbs: allVerbs },
    })),
  );
}

/** A row of docs/rbac.md under a heading: role kind, group, resource, verbs, why. */
const row = /^\| (Role|ClusterRole) \| ([^|]*) \| `([^`]+)` \| ([^|]+) \| ([^|]{20,}) \|$/gm;

/** @param ownNamespace of the section's Roles @returns whether the document gives the right, with a reason */
export function readDocumented(section: string, ownNamespace: string): (right: Right) => boolean {
  const text = readFileSync(new URL("../../docs/rbac.md", import.meta.url), "utf8");
  const part = text.split(/^## /m).find((one) => one.startsWith(section)) ?? "";
  const rules = [...part.matchAll(row)].map(([, kind = "", group = "", resource = "", verbs = ""]) => ({
    ...{ isCluster: kind === "ClusterRole", group: group.trim() === "core" ? "" : group.trim(), resource },
    verbs: verbs.split(",").map((verb) => verb.trim()),
  }));
  if (rules.length === 0) throw new Error(`docs/rbac.md has no rights under ${section}`);
  return ({ verb, group, resource, namespace }) =>
    rules.some(
      (rule) =>
        rule.group === group &&
        rule.resource === resource &&
        rule.verbs.includes(verb) &&
        (rule.isCluster || namespace === ownNamespace),
    );
}
