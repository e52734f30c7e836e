import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";
import { createStaticConnection, loadKubeConnection } from "../../../src/kube/connection.ts";
import { createTransport } from "../../../src/kube/transport.ts";
import { type MisbehavingServer, replyJson, startMisbehavingServer } from "../../support/misbehaving-server.ts";

let folder: string;
let server: MisbehavingServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: object;
}

async function writeKubeconfig(parts: Parts): Promise<string> {
  const path = join(folder, "config");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: "https://10.1.2.3:6443/", ...parts.cluster } }],
    users: [{ name: "u", user: parts.user ?? {} }],
    contexts: [
      { name: "first", context: { cluster: "c", user: "u", ...parts.context } },
      { name: "second", context: { cluster: "c", user: "u", namespace: "two" } },
    ],
    "current-context": "first",
  };
  await writeFile(path, stringify(config));
  return path;
}

async function writePlugin(script: string): Promise<string> {
  const path = join(folder, "plugin.sh");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o700);
  return path;
}

describe("a kubeconfig", () => {
  test("gives the server, the namespace and the token of its current context", async () => {
    const kubeconfigPath = await writeKubeconfig({ user: { token: "abc" } });
    const connection = await loadKubeConnection({ kubeconfigPath });
    expect([connection.server, connection.namespace]).toEqual(["https://10.1.2.3:6443", "default"]);
    expect(await connection.authorization()).toBe("Bearer abc");
  });

  test("gives another context when told", async () => {
    const connection = await loadKubeConnection({ kubeconfigPath: await writeKubeconfig({}), context: "second" });
    expect(connection.namespace).toBe("two");
    expect(await connection.authorization()).toBeUndefined();
  });

  test("notices a rotated token file after a minute, and at once after a 401", async () => {
    await writeFile(join(folder, "token"), "one\n");
    let elapsed = 0;
    const clock = { now: () => 0, monotonic: () => elapsed, sleep: async () => undefined };
    const kubeconfigPath = await writeKubeconfig({ user: { tokenFile: "token" } });
    const connection = await loadKubeConnection({ kubeconfigPath, clock });
    expect(await connection.authorization()).toBe("Bearer one");
    await writeFile(join(folder, "token"), "two\n");
    elapsed = 59_000;
    expect(await connection.authorization()).toBe("Bearer one");
    elapsed = 61_000;
    expect(await connection.authorization()).toBe("Bearer two");
    await writeFile(join(folder, "token"), "three\n");
    expect(await connection.authorization({ fresh: true })).toBe("Bearer three");
  });

  test("runs an exec plugin, once until its credential is refused", async () => {
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t%s"}}';
    const plugin = await writePlugin(`echo run >> ${folder}/runs; printf '${credential}' $(wc -l < ${folder}/runs)`);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugin, interactiveMode: "Never" };
    const kubeconfigPath = await writeKubeconfig({ user: { exec } });
    const connection = await loadKubeConnection({ kubeconfigPath, maxAgeMs: 0 });
    expect(await connection.authorization()).toBe("Bearer t1");
    expect(await connection.authorization()).toBe("Bearer t1");
    expect(await connection.authorization({ fresh: true })).toBe("Bearer t2");
    expect(await connection.authorization()).toBe("Bearer t2");
  });

  const broken: { name: string; parts?: Parts; context?: string; want: string }[] = [
    {
      name: "names the contexts it has when asked for another",
      context: "nope",
      want: 'context "nope" names no usable cluster; known contexts: first, second',
    },
    {
      name: "with a proxy is refused",
      parts: { cluster: { "proxy-url": "http://proxy:3128" } },
      want: "has a proxy-url, which is not supported",
    },
    {
      name: "whose exec plugin fails says how",
      parts: { user: { exec: { command: "/nonexistent/plugin" } } },
      want: "no credentials: spawn /nonexistent/plugin ENOENT",
    },
    { name: "whose user is missing is refused", parts: { context: { user: "ghost" } }, want: "names no known user" },
  ];
  for (const { name, parts, context, want } of broken) {
    test(name, async () => {
      const kubeconfigPath = await writeKubeconfig(parts ?? {});
      const error = await loadKubeConnection({ kubeconfigPath, context }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: "KubeconfigInvalid",
        disposition: "fatal",
        message: expect.stringContaining(want),
      });
    });
  }

  test("that does not exist is named in the error", async () => {
    const path = join(folder, "absent");
    await expect(loadKubeConnection({ kubeconfigPath: path })).rejects.toThrow(path);
  });
});

describe("inside a cluster", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("the service account gives server, namespace and a token that may rotate", async () => {
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    vi.stubEnv("KUBERNETES_SERVICE_PORT", "443");
    const account = join(folder, "var/run/secrets/kubernetes.io/serviceaccount");
    await mkdir(account, { recursive: true });
    await writeFile(join(account, "ca.crt"), "CA");
    await writeFile(join(account, "namespace"), "prod\n");
    await writeFile(join(account, "token"), "one\n");
    const connection = await loadKubeConnection({ inClusterRoot: folder });
    expect([connection.server, connection.namespace]).toEqual(["https://10.96.0.1:443", "prod"]);
    expect(await connection.authorization()).toBe("Bearer one");
    expect((await connection.tls()).ca?.toString()).toBe("CA");
    await writeFile(join(account, "token"), "two\n");
    expect(await connection.authorization({ fresh: true })).toBe("Bearer two");
  });

  test("outside of one the error says what to give", async () => {
    vi.stubEnv("KUBERNETES_SERVICE_HOST", undefined);
    await expect(loadKubeConnection()).rejects.toThrow("Cannot use the in-cluster service account");
  });
});

describe("TLS", () => {
  async function createCertificates(...names: string[]) {
    const ca = await createCertificateAuthority("test");
    const issue = (commonName: string) => issueServerCertificate(ca, { commonName, ipAddresses: ["127.0.0.1"] });
    return { ca: ca.certPem, issued: await Promise.all(names.map(issue)) };
  }

  async function get(cluster: object) {
    const kubeconfigPath = await writeKubeconfig({
      cluster: { server: server?.url, ...cluster },
      user: { token: "abc" },
    });
    const transport = createTransport(await loadKubeConnection({ kubeconfigPath }), { maxRetries: 0 });
    try {
      return await transport.request({ method: "GET", path: "/version" });
    } finally {
      await transport.close();
    }
  }

  test("trusts the kubeconfig's own CA, and it alone", async () => {
    const { ca, issued } = await createCertificates("server");
    server = await startMisbehavingServer({ key: issued[0]?.keyPem, cert: issued[0]?.certPem });
    server.script("GET", replyJson({ ok: true }));
    expect(await get({ "certificate-authority-data": Buffer.from(ca).toString("base64") })).toEqual({ ok: true });
    await expect(get({})).rejects.toMatchObject({
      code: "KubeUnreachable",
      message: expect.stringContaining("unable to verify"),
    });
    expect(await get({ "insecure-skip-tls-verify": true })).toEqual({ ok: true });
    expect(server.requests[0]?.headers.authorization).toBe("Bearer abc");
  });

  test("presents the client certificate of the moment on each new socket", async () => {
    const { ca, issued } = await createCertificates("server", "old", "new");
    const [own, old, renewed] = issued;
    server = await startMisbehavingServer({ key: own?.keyPem, cert: own?.certPem, ca, requestCert: true });
    // Without keep-alive, the second request needs a second socket.
    server.script("GET", (response) => void response.writeHead(200, { connection: "close" }).end());
    let current = old;
    const connection = {
      ...createStaticConnection({ server: server.url }),
      tls: async () => ({ ca, cert: current?.certPem, key: current?.keyPem }),
    };
    const transport = createTransport(connection);
    await transport.request({ method: "GET", path: "/a" });
    current = renewed;
    await transport.request({ method: "GET", path: "/b" });
    await transport.close();
    expect(server.requests.map((request) => request.peer)).toEqual(["old", "new"]);
  });
});
