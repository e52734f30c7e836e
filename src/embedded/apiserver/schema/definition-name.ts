/** `V1Pod` is published as `io.k8s.api.v1.Pod`, `CoreV1Event` as `io.k8s.core.v1.Event`: kubectl shows the last part. */
export function definitionName(model: string): string {
  const match = /^([A-Z][a-z]+)??(V\d+(?:alpha\d+|beta\d+)?)([A-Z].*)$/.exec(model);
  if (match === null) return model;
  const [, prefix = "", version = "", name = ""] = match;
  const group = prefix === "" ? "api" : prefix.toLowerCase();
  return `io.k8s.${group}.${version.toLowerCase()}.${name}`;
}
