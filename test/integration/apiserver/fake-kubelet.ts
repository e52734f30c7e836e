/** A kubelet of which only the log endpoint exists. Records what it was asked. */

import type { ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";

export interface FakeKubelet {
  readonly token: string;
  readonly caPem: string;
  readonly port: number;
  readonly asked: string[];
  /** Follow streams that are open now. */
  readonly streams: Set<ServerResponse>;
  close(): Promise<void>;
}

export async function startFakeKubelet(): Promise<FakeKubelet> {
  const token = "kubelet-token";
  const ca = await createCertificateAuthority("kubelet-ca");
  const cert = await issueServerCertificate(ca, { commonName: "node-1", ipAddresses: ["127.0.0.1"] });
  const asked: string[] = [];
  const streams = new Set<ServerResponse>();
  const server: Server = createServer({ cert: cert.certPem, key: cert.keyPem }, (request, response) => {
    asked.push(request.url ?? "");
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
    if (request.url?.includes("/missing/")) return void response.writeHead(404).end("no such container\n");
    response.writeHead(200, { "content-type": "text/plain" });
    response.write("line 1\n");
    if (!request.url?.includes("follow=true")) return void response.end("line 2\n");
    streams.add(response);
    response.on("close", () => streams.delete(response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    token,
    caPem: cert.caPem,
    port: (server.address() as AddressInfo).port,
    asked,
    streams,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const nodeStatus = (port: number) => ({
  addresses: [
    { type: "Hostname", address: "node-1" },
    { type: "InternalIP", address: "127.0.0.1" },
  ],
  daemonEndpoints: { kubeletEndpoint: { Port: port } },
  capacity: { cpu: "4", pods: "10" },
  conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
  nodeInfo: { kubeletVersion: "v1.36.0" },
});
