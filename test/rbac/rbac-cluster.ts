/**
 * A server that enforces RBAC, with the accounts, rights and policies of manifests/hub, which is the chart rendered: the embedded one, or with
 * KUBEBUILDER_ASSETS or KUBECONFIG a real one. Every account has a pod, and tokens bound to it as kubelets mount them.
 */
import { readFile } from "node:fs/promises";
import { Agent } from "undici";
import { parseAllDocuments } from "yaml";
import { loadKubeConnection } from "../../src/kube/connection.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { ConformanceApi } from "../conformance/support/api.ts";
import { openTestCluster, type TestCluster } from "../support/test-cluster.ts";

export const system = "inferium-system";
export const tenant = "tenant-a";
export type Account = "operator" | "agent" | "member";

/** Plural and path of the kinds of manifests/hub that have to do with rights. */
const kinds: Readonly<Record<string, string>> = {
  Namespace: "/api/v1/namespaces",
  ServiceAccount: "/api/v1/namespaces/NS/serviceaccounts",
  CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
  Role: "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles",
  RoleBinding: "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings",
  ValidatingAdmissionPolicy: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
};

export interface RbacCluster {
  readonly kind: TestCluster["kind"];
  readonly server: string;
  readonly caPem: string;
  /** Empty where the administrator has a certificate instead. */
  readonly adminToken: string;
  readonly admin: ConformanceApi;
  /** Bound to the account's pod on node-a. */
  as(account: Account): ConformanceApi;
  token(account: Account): string;
  /** Not bound to any pod, so that it names no node. */
  unbound(account: Account): Promise<ConformanceApi>;
  close(): Promise<void>;
}

export async function openRbacCluster(): Promise<RbacCluster> {
  const cluster = await openTestCluster();
  const connection = await loadKubeConnection({ kubeconfigPath: cluster.kubeconfigPath });
  const { ca, cert, key } = await connection.tls();
  const dispatcher = new Agent({
    connect: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    allowH2: false,
    connections: 16,
  });
  const authorization = await connection.authorization();
  const admin = new ConformanceApi({ server: connection.server, dispatcher, authorization });
  const made: string[] = [];
  const close = async () => {
    // Of a cluster that goes on, nothing stays.
    if (cluster.kind === "existing") for (const path of made.reverse()) await admin.delete(path);
    await dispatcher.close();
    await cluster.close();
  };
  const create = async (path: string, object: Pick<KubeObject, "metadata"> & Record<string, unknown>) => {
    const reply = await admin.post(path, object);
    if (reply.status === 201) made.push(`${path}/${object.metadata.name}`);
    else if (reply.status !== 409) throw new Error(`POST ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
  };
  try {
    for (const object of await readHub()) {
      const path = kinds[object.kind]?.replace("NS", object.metadata.namespace ?? "");
      if (path !== undefined) await create(path, { ...object });
    }
    await create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: tenant } });
    for (const name of ["node-a", "node-b"])
      await create("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name } });
    const accounts: readonly Account[] = ["operator", "agent", "member"];
    for (const account of accounts) await create(`/api/v1/namespaces/${system}/pods`, buildPod(account));
    await untilServed(admin);
    const tokens = new Map<Account, string>();
    for (const account of accounts) tokens.set(account, await requestToken(admin, account, `pod-${account}`));
    const token = (account: Account) => tokens.get(account) ?? "";
    return {
      ...{
        kind: cluster.kind,
        server: connection.server,
        caPem: String(ca ?? ""),
        admin,
        adminToken: authorization?.replace(/^Bearer /, "") ?? "",
        token,
        close,
      },
      as: (account) => admin.withToken(token(account)),
      unbound: async (account) => admin.withToken(await requestToken(admin, account)),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function readHub(): Promise<KubeObject[]> {
  const text = await readFile(new URL("../../manifests/hub/install.yaml", import.meta.url), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

function buildPod(account: Account) {
  const labels = { "app.kubernetes.io/component": account };
  const container = {
    ...{ name: account, image: "inferium.io/inferium:none" },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  };
  const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
  return {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: `pod-${account}`, namespace: system, labels } },
    spec: { serviceAccountName: `inferium-${account}`, nodeName: "node-a", securityContext, containers: [container] },
  };
}

async function requestToken(admin: ConformanceApi, account: Account, pod?: string): Promise<string> {
  const boundObjectRef = pod === undefined ? {} : { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: pod } };
  const request = { spec: { audiences: [], expirationSeconds: 3_600, ...boundObjectRef } };
  const path = `/api/v1/namespaces/${system}/serviceaccounts/inferium-${account}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", ...request };
  return (await admin.post(path, body).expect(201)).status.token;
}

/** A real server serves a new kind after a moment. */
async function untilServed(admin: ConformanceApi): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (const plural of ["inferencetasks", "workernodes", "validations", "models"]) {
    while ((await admin.get(`/apis/inferium.io/v1alpha1/${plural}`)).status !== 200) {
      if (Date.now() > deadline) throw new Error(`${plural} is not served after 30 s`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
