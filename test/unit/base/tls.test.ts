import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, test } from "vitest";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(certPem: string, keyPem: string): Promise<number> {
  const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end("hello"));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function dial(port: number, ca: string, options: { host?: string; servername?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: "127.0.0.1", ca, ...options });
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

describe("certificates of our own authority", () => {
  test("a client that trusts the authority accepts the server by IP address and by name", async () => {
    const ca = await createCertificateAuthority("test-ca");
    const cert = await issueServerCertificate(ca, {
      commonName: "server",
      dnsNames: ["localhost"],
      ipAddresses: ["127.0.0.1"],
      days: 1,
    });
    const port = await listen(cert.certPem, cert.keyPem);
    expect(await dial(port, cert.caPem)).toBe("hello");
    expect(await dial(port, cert.caPem, { servername: "localhost" })).toBe("hello");
  });

  test("a client that trusts another authority of the same name refuses the server", async () => {
    const ca = await createCertificateAuthority("test-ca");
    const other = await createCertificateAuthority("test-ca");
    const cert = await issueServerCertificate(ca, { commonName: "server", ipAddresses: ["127.0.0.1"] });
    const port = await listen(cert.certPem, cert.keyPem);
    await expect(dial(port, other.certPem)).rejects.toThrow(/certificate/);
  });

  test("a name that the certificate does not carry is refused", async () => {
    const ca = await createCertificateAuthority("test-ca");
    const cert = await issueServerCertificate(ca, { commonName: "server", dnsNames: ["elsewhere"] });
    const port = await listen(cert.certPem, cert.keyPem);
    await expect(dial(port, cert.caPem)).rejects.toThrow(/IP: 127\.0\.0\.1/);
  });
});
