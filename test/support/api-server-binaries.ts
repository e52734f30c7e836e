/**
 * A real Kubernetes API server with its etcd, from binaries, on loopback: no controllers, no scheduler, no nodes. Both
 * processes end with the test's process, however it ends.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { createCertificateAuthority, issueServerCertificate } from "../../src/base/tls.ts";
import { buildKubeconfig } from "../../src/embedded/apiserver/kubeconfig.ts";
import { type GuardedChild, startGuarded } from "../../src/embedded/chain/guarded-child.ts";
import { findFreePorts } from "../../src/embedded/up/ports.ts";

export interface StartedServer {
  kubeconfig(): string;
  close(): Promise<void>;
}

const readyTimeoutMs = 60_000;

/** @param dir an empty folder for data, keys and certificates */
export async function startBinaries(assets: string, dir: string): Promise<StartedServer> {
  const [etcdPort = 0, peerPort = 0, apiPort = 0] = await findFreePorts(3);
  const files = await writeCredentials(dir);
  const server = `https://127.0.0.1:${apiPort}`;
  const start = (binary: string, flags: Readonly<Record<string, string>>) =>
    startGuarded(
      join(assets, binary),
      Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      { cwd: dir, env: { HOME: dir, PATH: "/usr/bin:/bin" } },
    );
  const etcd = start("etcd", {
    "data-dir": join(dir, "etcd"),
    "listen-client-urls": `http://127.0.0.1:${etcdPort}`,
    "advertise-client-urls": `http://127.0.0.1:${etcdPort}`,
    "listen-peer-urls": `http://127.0.0.1:${peerPort}`,
    // Nothing here outlives the test, so nothing needs to reach the disk.
    "unsafe-no-fsync": "true",
  });
  const apiServer = start("kube-apiserver", {
    "etcd-servers": `http://127.0.0.1:${etcdPort}`,
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    "secure-port": String(apiPort),
    "tls-cert-file": files.cert,
    "tls-private-key-file": files.key,
    "cert-dir": dir,
    "token-auth-file": files.tokens,
    "authorization-mode": "Node,RBAC",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": files.accountKey,
    "service-account-signing-key-file": files.accountKey,
    "service-cluster-ip-range": "10.96.0.0/16",
    "endpoint-reconciler-type": "none",
  });
  const close = async () => {
    await apiServer.stop();
    await etcd.stop();
  };
  try {
    await untilReady({ server, ...files }, [etcd, apiServer]);
  } catch (error) {
    await close();
    throw error;
  }
  const kubeconfig = () =>
    buildKubeconfig({ url: server, caPem: files.caPem, user: "admin", credentials: { token: files.token } });
  return { kubeconfig, close };
}

async function writeCredentials(dir: string) {
  const authority = await createCertificateAuthority("inferium test cluster");
  const serving = await issueServerCertificate(authority, {
    commonName: "kube-apiserver",
    dnsNames: ["localhost", "kubernetes.default.svc"],
    ipAddresses: ["127.0.0.1"],
  });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const token = randomBytes(24).toString("hex");
  const write = async (name: string, text: string) => {
    await writeFile(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  return {
    token,
    caPem: authority.certPem,
    cert: await write("tls.crt", serving.certPem),
    key: await write("tls.key", serving.keyPem),
    accountKey: await write("accounts.key", privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
    tokens: await write("tokens.csv", `${token},admin,admin,"system:masters"\n`),
  };
}

interface Endpoint {
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
}

async function untilReady(endpoint: Endpoint, children: readonly GuardedChild[]): Promise<void> {
  const dispatcher = new Agent({ connect: { ca: endpoint.caPem } });
  const deadline = Date.now() + readyTimeoutMs;
  let hasEnded = false;
  void Promise.race(children.map((child) => child.exited)).then(() => {
    hasEnded = true;
  });
  try {
    for (;;) {
      const problem = await findProblem(endpoint, dispatcher);
      if (problem === undefined) return;
      if (hasEnded || Date.now() > deadline) {
        const output = children.map((child) => child.recentOutput()).join("\n---\n");
        throw new Error(`etcd and kube-apiserver are not ready: ${problem}\n${output}`);
      }
      await sleep(200);
    }
  } finally {
    await dispatcher.close();
  }
}

async function findProblem({ server, token }: Endpoint, dispatcher: Agent): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  try {
    const { statusCode, body } = await request(`${server}/readyz`, { dispatcher, headers });
    const text = await body.text();
    return statusCode === 200 ? undefined : text;
  } catch (error) {
    return String(error);
  }
}
