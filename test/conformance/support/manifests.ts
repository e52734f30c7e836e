/** Objects that many cases need, as small as the server takes them. */

type Fields = Readonly<Record<string, unknown>>;

export const aContainer = (fields: Fields = {}) => ({ name: "main", image: "registry.example.com/app:1", ...fields });

export const aPod = (name: string, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [aContainer()], ...spec },
});

/** A pod template with the label app=NAME. */
export const aTemplate = (app: string, spec: Fields = {}) => ({
  metadata: { labels: { app } },
  spec: { containers: [aContainer()], ...spec },
});

export const aDeployment = (name: string, spec: Fields = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: aTemplate(name), ...spec },
});

export const aService = (name: string, spec: Fields = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});
