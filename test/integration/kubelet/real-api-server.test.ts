/** What process kubelets need on an API server that is not the embedded one: its client certificate, and its lack of controllers. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";
import { readClientAccess } from "../../../src/embedded/kubelet/client-access.ts";
import { startKubeletServer } from "../../../src/embedded/kubelet/kubelet-server.ts";
import { createPodApi } from "../../../src/embedded/kubelet/pod-api.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { createTransport } from "../../../src/kube/transport.ts";
import { replyJson, replyStatus, startMisbehavingServer } from "../../support/misbehaving-server.ts";

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function connect() {
  const server = await startMisbehavingServer();
  const transport = createTransport(createStaticConnection({ server: server.url }));
  cleanup.push(
    () => server.close(),
    () => transport.close(),
  );
  return { server, transport };
}

describe("the log endpoint", () => {
  const callers = [
    { name: "whom the cluster allows", signed: true, allowed: true, want: 404 },
    { name: "whom the cluster does not allow", signed: true, allowed: false, want: 401 },
    { name: "whose certificate another authority signed", signed: false, allowed: true, want: 401 },
  ];
  test.each(callers)("answers a caller $name with $want", async ({ signed, allowed, want }) => {
    const trusted = await createCertificateAuthority("cluster");
    const { server, transport } = await connect();
    server.script("GET", replyJson({ data: { "client-ca-file": trusted.certPem } }));
    server.script("POST", replyJson({ status: { allowed } }, 201));
    const tls = await issueServerCertificate(trusted, { commonName: "kubelet", ipAddresses: ["127.0.0.1"] });
    const clients = await readClientAccess(transport);
    const endpoint = await startKubeletServer({ token: "t", tls, clients, clock: systemClock, logger: silentLogger });
    cleanup.push(() => endpoint.close());
    const signer = signed ? trusted : await createCertificateAuthority("another");
    const { certPem, keyPem } = await issueServerCertificate(signer, { commonName: "apiserver" });
    const call = request({
      ...{ host: "127.0.0.1", port: endpoint.port, path: "/containerLogs/ns/pod/container", agent: false },
      ...{ ca: trusted.certPem, cert: certPem, key: keyPem },
    }).end();
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(want);
    const reviews = server.requests.filter(({ verb }) => verb === "POST").map(({ body }) => JSON.parse(body).spec);
    expect(reviews).toEqual(signed ? [expect.objectContaining({ user: "apiserver" })] : []);
  });

  test("knows no client certificates where the cluster publishes no authority for them", async () => {
    const { server, transport } = await connect();
    server.script("GET", replyStatus(404, "NotFound"));
    expect(await readClientAccess(transport)).toBeUndefined();
  });
});

describe("the cluster's root certificate", () => {
  test("is the kubelet's own where no controller publishes it", async () => {
    const { server, transport } = await connect();
    server.script("GET", replyStatus(404, "NotFound"));
    const api = createPodApi(transport, "PEM");
    expect(await api.configMap("ns", "kube-root-ca.crt")).toEqual(new Map([["ca.crt", Buffer.from("PEM")]]));
    expect(await api.configMap("ns", "another")).toBeUndefined();
  });

  test("is the published one where there is one", async () => {
    const { server, transport } = await connect();
    server.script("GET", replyJson({ data: { "ca.crt": "PUBLISHED" } }));
    const found = await createPodApi(transport, "PEM").configMap("ns", "kube-root-ca.crt");
    expect(found?.get("ca.crt")?.toString()).toBe("PUBLISHED");
  });
});
