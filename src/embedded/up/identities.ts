/**
 * Keys, certificates and addresses of a run as Secrets and ConfigMaps, under the names that the pods mount. Keys are made
 * at start and live in Secrets only. Pure but for the certificate.
 */
import { createCertificateAuthority, issueServerCertificate } from "../../base/tls.ts";
import type { ContractAddresses } from "../../chain/addresses.ts";
import type { ConfigMap, Secret } from "../../kube/core-resources.ts";
import type { Accounts, Member } from "./members.ts";
import { runLabel, systemNamespace } from "./pods.ts";

export const names = {
  poolTls: "inferium-pool-tls",
  poolCa: "inferium-pool-ca",
  settler: "inferium-settler",
  contracts: "inferium-contracts",
  memberKey: (member: string) => `inferium-key-${member}`,
} as const;

export interface Identities {
  readonly secrets: readonly Secret[];
  readonly configMaps: readonly ConfigMap[];
}

export async function buildIdentities(
  members: readonly Member[],
  accounts: Accounts,
  contracts: ContractAddresses,
): Promise<Identities> {
  const authority = await createCertificateAuthority("inferium pool");
  const tls = await issueServerCertificate(authority, {
    commonName: "inferium-pool",
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
    days: 30,
  });
  return {
    secrets: [
      buildSecret(names.poolTls, { "tls.crt": tls.certPem, "tls.key": tls.keyPem }),
      buildSecret(names.settler, { key: accounts.settler.privateKey }),
      ...members.map((member) => buildSecret(names.memberKey(member.name), { key: member.key.privateKey })),
    ],
    configMaps: [
      buildConfigMap(names.poolCa, { "ca.crt": tls.caPem }),
      buildConfigMap(names.contracts, { "addresses.json": JSON.stringify(contracts, null, 2) }),
    ],
  };
}

export function buildSecret(name: string, values: Record<string, string>, namespace: string = systemNamespace): Secret {
  const data = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, labels: runLabel }, type: "Opaque", data };
}

function buildConfigMap(name: string, data: Record<string, string>): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: systemNamespace, labels: runLabel },
    data,
  };
}
