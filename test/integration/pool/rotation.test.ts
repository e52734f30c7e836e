/** The pool's certificate, and who certified it, change while members are connected: nobody is cut off, nobody is restarted. */
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueServerCertificate,
} from "../../../src/base/tls.ts";
import { CertificateFiles } from "../../../src/pool/certificate-files.ts";
import { aBackend } from "../../support/pool-backend.ts";
import { aClient, aServer, onCleanup } from "./pool-fixture.ts";

const emptyClaim = { slots: 1, models: [], waitMs: 0 };
const nothing = { assignments: [], duties: [] };

let folder = "";
let warnings: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inferium-rotation-"));
  warnings = [];
  onCleanup(() => rm(folder, { recursive: true, force: true }));
});

const issue = (authority: CertificateAuthority) =>
  issueServerCertificate(authority, { commonName: "pool", ipAddresses: ["127.0.0.1"] });
const put = (name: string, text: string) => writeFile(join(folder, name), text);
const serialOf = (certPem: string) => new X509Certificate(certPem).serialNumber;

/** A server whose certificate is followed from files, as the operator does it. */
async function aFollowingServer(authority: CertificateAuthority, backend = aBackend()) {
  const first = await issue(authority);
  await put("tls.crt", first.certPem);
  await put("tls.key", first.keyPem);
  const expiries: number[] = [];
  const files = await CertificateFiles.open({
    certFile: join(folder, "tls.crt"),
    keyFile: join(folder, "tls.key"),
    refreshMs: 20,
    clock: systemClock,
    logger: { ...silentLogger, warn: (message) => void warnings.push(message) },
    onExpiry: (seconds) => expiries.push(seconds),
  });
  const server = await aServer(backend, { tls: files.current });
  files.onChange((pair) => server.setCertificate(pair));
  const ending = new AbortController();
  const following = files.follow(ending.signal);
  onCleanup(async () => {
    ending.abort();
    await following;
  });
  return { server, first, expiries };
}

/** What a new connection is shown. */
function shownSerial(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1", rejectUnauthorized: false });
    socket.on("error", reject);
    socket.on("secureConnect", () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
      socket.destroy();
    });
  });
}

describe("a new certificate in the files", () => {
  test("is shown to new connections, while a claim that waits on an old one is answered on it", async () => {
    const authority = await createCertificateAuthority("pool");
    const waiting = Promise.withResolvers<typeof nothing>();
    const arrived = Promise.withResolvers<void>();
    const backend = aBackend({
      claim: async () => {
        arrived.resolve();
        return waiting.promise;
      },
    });
    const { server, first, expiries } = await aFollowingServer(authority, backend);
    const client = aClient({ url: server.url, caPem: authority.certPem }, { maxAttempts: 1 });
    const claim = client.claim({ ...emptyClaim, waitMs: 30_000 });
    await arrived.promise;

    const second = await issue(authority);
    await put("tls.crt", second.certPem);
    await put("tls.key", second.keyPem);
    await expect.poll(() => shownSerial(server.url), { timeout: 30_000 }).toBe(serialOf(second.certPem));
    expect(serialOf(second.certPem)).not.toBe(serialOf(first.certPem));
    waiting.resolve(nothing);
    await expect(claim).resolves.toEqual(nothing);
    expect(await client.claim(emptyClaim)).toEqual(nothing);
    expect(expiries.at(-1)).toBe(Date.parse(new X509Certificate(second.certPem).validTo) / 1_000);
  });

  test("is left alone while its key is missing or another's, said once, and taken when the pair is whole", async () => {
    const authority = await createCertificateAuthority("pool");
    const { server, first } = await aFollowingServer(authority);
    const second = await issue(authority);
    await put("tls.crt", second.certPem);
    await expect.poll(() => warnings.length, { timeout: 30_000 }).toBe(1);
    await systemClock.sleep(100);
    expect(warnings).toEqual(["the old certificate stays in use"]);
    expect(await shownSerial(server.url)).toBe(serialOf(first.certPem));
    await put("tls.key", second.keyPem);
    await expect.poll(() => shownSerial(server.url), { timeout: 30_000 }).toBe(serialOf(second.certPem));
  });

  test("at the start, a pair that does not belong together is refused with both names", async () => {
    const authority = await createCertificateAuthority("pool");
    await put("tls.crt", (await issue(authority)).certPem);
    await put("tls.key", (await issue(authority)).keyPem);
    const names = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
    const opened = CertificateFiles.open({ ...names, refreshMs: 20, clock: systemClock, logger: silentLogger });
    await expect(opened).rejects.toThrow(
      `The key in ${names.keyFile} is not that of the certificate in ${names.certFile}`,
    );
  });
});

describe("another authority", () => {
  test("is taken up by a running member from its file: first both are trusted, then the pool changes over", async () => {
    const [old, next] = [await createCertificateAuthority("old"), await createCertificateAuthority("next")];
    const { server } = await aFollowingServer(old);
    await put("ca.crt", old.certPem);
    const caPem = () => readFile(join(folder, "ca.crt"), "utf8");
    const member = () => aClient({ url: server.url, caPem: "" }, { caPem, maxAttempts: 1 });
    const running = member();
    expect(await running.claim(emptyClaim)).toEqual(nothing);

    await put("ca.crt", `${old.certPem}\n${next.certPem}`);
    const second = await issue(next);
    await put("tls.crt", second.certPem);
    await put("tls.key", second.keyPem);
    await expect.poll(() => shownSerial(server.url), { timeout: 30_000 }).toBe(serialOf(second.certPem));
    expect(await running.claim(emptyClaim)).toEqual(nothing);
    expect(await member().claim(emptyClaim)).toEqual(nothing);

    await put("ca.crt", old.certPem);
    await expect(member().claim(emptyClaim)).rejects.toMatchObject({ code: "PoolUnreachable" });
  });
});
