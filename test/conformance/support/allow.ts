/** Gives somebody rights for the length of a case: a role with these rules and a binding to it. */
import type { CaseTools } from "./conformance-case.ts";

export interface Grant {
  /** As `subjects` of a binding name it; a bare string is a user. */
  readonly subject: string | object;
  readonly rules: readonly object[];
  /** In this namespace alone; the whole cluster where it is left out. */
  readonly namespace?: string;
}

const group = "rbac.authorization.k8s.io";

/** @returns the name that role and binding have */
export async function allow(
  tools: Pick<CaseTools, "api" | "unique" | "removeLater" | "path" | "namespace">,
  grant: Grant,
): Promise<string> {
  const { api, unique, removeLater } = tools;
  const name = unique("granted");
  const root = `/apis/${group}/v1${grant.namespace === undefined ? "" : `/namespaces/${grant.namespace}`}`;
  const prefix = grant.namespace === undefined ? "Cluster" : "";
  const [roles, bindings] =
    grant.namespace === undefined ? ["clusterroles", "clusterrolebindings"] : ["roles", "rolebindings"];
  const subject =
    typeof grant.subject === "string" ? { kind: "User", apiGroup: group, name: grant.subject } : grant.subject;
  const base = { apiVersion: `${group}/v1`, metadata: { name } };
  await api.post(`${root}/${roles}`, { ...base, kind: `${prefix}Role`, rules: grant.rules }).expect(201);
  removeLater(`${root}/${roles}/${name}`);
  const roleRef = { apiGroup: group, kind: `${prefix}Role`, name };
  await api
    .post(`${root}/${bindings}`, { ...base, kind: `${prefix}RoleBinding`, roleRef, subjects: [subject] })
    .expect(201);
  removeLater(`${root}/${bindings}/${name}`);
  return name;
}
