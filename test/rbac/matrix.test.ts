/**
 * Every verb on every resource that the server serves, in the release's namespace, the default one, a tenant's and the cluster, asked for each
 * account: what the server allows is what docs/rbac.md gives with a reason, no more and no less.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { helms, hubValues, render } from "../charts/helm.ts";
import type { ConformanceApi } from "../conformance/support/api.ts";
import { openRbacCluster, type RbacCluster, system, tenant } from "./rbac-cluster.ts";
import { format, listAskable, type Right, readDocumented } from "./rights.ts";

const atOnce = 16;
const accountName = (name: string, namespace = system) => `system:serviceaccount:${namespace}:${name}`;

interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

const serviceAccount = (name: string, namespace = system): Subject => ({
  user: accountName(name, namespace),
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
});

async function isAllowed(admin: ConformanceApi, subject: Subject, right: Right): Promise<boolean> {
  const [resource, subresource] = right.resource.split("/");
  const { verb, group, namespace } = right;
  const resourceAttributes = { verb, group, resource, subresource, ...(namespace === "" ? {} : { namespace }) };
  const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview" };
  const { status } = await admin.post(path, { ...review, spec: { ...subject, resourceAttributes } }).expect(201);
  return status.allowed;
}

describe("rights on a server", () => {
  let cluster: RbacCluster;
  let askable: Right[] = [];

  /** What it may, as text. */
  async function listAllowed(subject: Subject, among: readonly Right[] = askable): Promise<string[]> {
    const allowed: string[] = [];
    const left = [...among];
    const ask = async () => {
      for (let right = left.pop(); right !== undefined; right = left.pop())
        if (await isAllowed(cluster.admin, subject, right)) allowed.push(format(right));
    };
    await Promise.all(Array.from({ length: atOnce }, ask));
    return allowed.sort();
  }
  const documented = (section: string, ownNamespace: string) =>
    askable.filter(readDocumented(section, ownNamespace)).map(format).sort();

  beforeAll(async () => {
    cluster = await openRbacCluster();
    askable = await listAskable(cluster.admin);
  });
  afterAll(() => cluster?.close());

  test("are asked about widely enough to mean something", () => {
    console.log(`${askable.length} rights for each account, on the ${cluster.kind} server`);
    expect(askable.length).toBeGreaterThan(1_000);
    for (const right of ["create core/pods/exec in tenant-a", "impersonate core/users in the cluster"])
      expect(askable.map(format)).toContain(right);
  });

  /** What every account of a cluster may; Kubernetes gives it, not the chart. */
  const everybodys = [
    "create authentication.k8s.io/selfsubjectreviews in the cluster",
    "create authorization.k8s.io/selfsubjectaccessreviews in the cluster",
    "create authorization.k8s.io/selfsubjectrulesreviews in the cluster",
  ];

  test("of workers and validators are those of everybody: nothing is bound to them, and nothing to a group", async () => {
    expect(await listAllowed(serviceAccount("inferium-member"))).toEqual(everybodys);
  });

  test("of the operator are those that docs/rbac.md gives a reason for", async () => {
    const allowed = await listAllowed(serviceAccount("inferium-operator"));
    expect(allowed).toEqual([...documented("Operator", system), ...everybodys].sort());
  });

  test("of the agent are those that docs/rbac.md gives a reason for", async () => {
    const allowed = await listAllowed(serviceAccount("inferium-agent"));
    expect(allowed).toEqual([...documented("Agent", "default"), ...everybodys].sort());
  });

  test("of people who view and edit tasks in a namespace end there", async () => {
    const bind = async (role: string, user: string) => {
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: `inferium-${role}` };
      const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }];
      const base = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: { name: role } };
      const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${tenant}/rolebindings`;
      await cluster.admin.post(path, { ...base, roleRef, subjects }).expect(201);
    };
    await bind("view", "viewer");
    await bind("edit", "editor");
    const people = documented("People", tenant).filter((right) => right.endsWith(` in ${tenant}`));
    // The rest of what is served is asked about for the accounts above.
    const some = askable.filter(
      ({ group, resource }) => group === "inferium.io" || group === "" || /review/.test(resource),
    );
    const isReading = (right: string) => /^(get|list|watch) /.test(right);
    const allowed = (user: string) => listAllowed({ user, groups: ["system:authenticated"] }, some);
    expect(await allowed("viewer")).toEqual([...people.filter(isReading), ...everybodys].sort());
    expect(await allowed("editor")).toEqual([...people.filter((right) => !isReading(right)), ...everybodys].sort());
  });

  test.runIf(helms.length > 0)("of an operator that watches one namespace end there too", async () => {
    const root = "/apis/rbac.authorization.k8s.io/v1";
    for (const name of ["tasks", "inputs"])
      await cluster.admin.delete(`${root}/clusterrolebindings/inferium-operator-${name}`).expect(200);
    const values = { ...hubValues, operator: { watchNamespace: tenant } };
    for (const object of render(helms.at(-1)?.binary ?? "", values).objects) {
      if (!/^(Role|RoleBinding)$/.test(object.kind) || object.metadata.namespace !== tenant) continue;
      await cluster.admin.post(`${root}/namespaces/${tenant}/${object.kind.toLowerCase()}s`, object).expect(201);
    }
    const allowed = await listAllowed(serviceAccount("inferium-operator"));
    const ofTasks = allowed.filter((right) =>
      / (inferium\.io\/(inferencetasks|validations|models)|core\/secrets)/.test(right),
    );
    expect(ofTasks.length).toBeGreaterThan(5);
    expect(ofTasks.filter((right) => !right.endsWith(` in ${tenant}`))).toEqual([]);
  });
});
