/** A kubeconfig for this server, as YAML text. The caller decides where it is kept; it holds a token or a private key. */
import { stringify } from "yaml";

export interface KubeconfigParts {
  readonly url: string;
  readonly caPem: string;
  readonly credentials: { readonly token: string } | { readonly certPem: string; readonly keyPem: string };
  readonly user: string;
  readonly namespace?: string;
}

export function buildKubeconfig(parts: KubeconfigParts): string {
  const cluster = { server: parts.url, "certificate-authority-data": Buffer.from(parts.caPem).toString("base64") };
  const context = { cluster: "inferium", user: parts.user, namespace: parts.namespace ?? "default" };
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "inferium", cluster }],
    users: [{ name: parts.user, user: credentialsOf(parts) }],
    contexts: [{ name: "inferium", context }],
    "current-context": "inferium",
  });
}

function credentialsOf({ credentials }: KubeconfigParts): object {
  if ("token" in credentials) return { token: credentials.token };
  const encode = (pem: string) => Buffer.from(pem).toString("base64");
  return {
    "client-certificate-data": encode(credentials.certPem),
    "client-key-data": encode(credentials.keyPem),
  };
}
