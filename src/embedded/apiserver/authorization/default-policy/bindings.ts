/** Who holds the default cluster roles, and the roles and bindings of `kube-system` and `kube-public`. */
import { type DefaultRole, parseRoles } from "./notation.ts";

export interface DefaultSubject {
  readonly kind: "User" | "Group" | "ServiceAccount";
  readonly name: string;
  readonly namespace?: string;
}

const user = (name: string): DefaultSubject => ({ kind: "User", name });
const group = (name: string): DefaultSubject => ({ kind: "Group", name });
export const account = (name: string): DefaultSubject => ({ kind: "ServiceAccount", namespace: "kube-system", name });

/** By role; the binding has the name of its role. */
export const clusterBindings: Readonly<Record<string, readonly DefaultSubject[]>> = {
  "cluster-admin": [group("system:masters")],
  "system:monitoring": [group("system:monitoring")],
  "system:discovery": [group("system:authenticated")],
  "system:basic-user": [group("system:authenticated")],
  "system:public-info-viewer": [group("system:authenticated"), group("system:unauthenticated")],
  "system:node-proxier": [user("system:kube-proxy")],
  "system:kube-controller-manager": [user("system:kube-controller-manager")],
  "system:kube-dns": [account("kube-dns")],
  "system:kube-scheduler": [user("system:kube-scheduler")],
  "system:volume-scheduler": [user("system:kube-scheduler")],
  // Nodes are authorized one by one; the binding of the role to all of them is kept without subjects.
  "system:node": [],
  "system:service-account-issuer-discovery": [group("system:serviceaccounts")],
};

export interface NamespacePolicy {
  readonly namespace: string;
  readonly roles: readonly DefaultRole[];
  readonly bindings: ReadonlyArray<{ name: string; role: string; subjects: readonly DefaultSubject[] }>;
}

const authReader = "extension-apiserver-authentication-reader";
const controller = (name: string) => `system:controller:${name}`;
const lockingRole = (component: string) => `system::leader-locking-kube-${component}`;
const leaseRule = "get watch list create update | coordination.k8s.io | leases";
const candidateRule = "get watch list create update | coordination.k8s.io | leasecandidates";

export const namespacePolicies: readonly NamespacePolicy[] = [
  {
    namespace: "kube-system",
    roles: parseRoles(`
${authReader}
  read | core | configmaps | extension-apiserver-authentication
${controller("bootstrap-signer")}
  read | core | secrets
${controller("cloud-provider")}
  create get list watch | core | configmaps
${controller("token-cleaner")}
  get list watch delete | core | secrets
  events
${lockingRole("controller-manager")}
  ${leaseRule}
  ${candidateRule}
${lockingRole("scheduler")}
  ${leaseRule}
  ${candidateRule}
`),
    bindings: [
      {
        name: `system::${authReader}`,
        role: authReader,
        subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler")],
      },
      ...["controller-manager", "scheduler"].map((component) => ({
        name: lockingRole(component),
        role: lockingRole(component),
        subjects: [user(`system:kube-${component}`), account(`kube-${component}`)],
      })),
      ...["bootstrap-signer", "cloud-provider", "token-cleaner"].map((name) => ({
        name: controller(name),
        role: controller(name),
        subjects: [account(name)],
      })),
    ],
  },
  {
    namespace: "kube-public",
    roles: parseRoles(`
${controller("bootstrap-signer")}
  read | core | configmaps
  update | core | configmaps | cluster-info
  events
`),
    bindings: [
      {
        name: controller("bootstrap-signer"),
        role: controller("bootstrap-signer"),
        subjects: [account("bootstrap-signer")],
      },
    ],
  },
];
