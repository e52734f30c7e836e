/** Small objects that a real API server takes as they are. Made anew for each use. */
export const aMap = (name: string, fields: object = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  ...fields,
});

/** Without a node, so that nothing runs it, and without an account of its own. */
export const aPod = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "main", image: "example.com/image:1" }], ...spec },
});

export const aDeployment = (name: string, spec: object = {}, podSpec: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "main", image: "example.com/image:1" }], ...podSpec },
    },
    ...spec,
  },
});

export const aService = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});

export const aLease = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, ...metadata },
  spec: { holderIdentity: "somebody", ...spec },
});

/** The entry of one manager in an object's managed fields. */
// biome-ignore lint/suspicious/noExplicitAny: cases look into answers of every shape
export function managerOf(object: any, manager: string, subresource?: string): any {
  return (object.metadata.managedFields ?? []).find(
    (entry: { manager: string; subresource?: string }) =>
      entry.manager === manager && entry.subresource === subresource,
  );
}
