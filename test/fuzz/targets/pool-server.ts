/** The pool server over real TLS, before and after a session: whatever comes, it answers below 500 and goes on. */
import { Wallet } from "ethers";
import { Pool } from "undici";
import { silentLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority, issueServerCertificate } from "../../../src/base/tls.ts";
import { defaultServerLimits } from "../../../src/pool/limits.ts";
import { requestSchemas } from "../../../src/pool/request-schemas.ts";
import { startPoolServer } from "../../../src/pool/server.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import type { ChallengeResponse, SessionResponse } from "../../../src/pool/wire.ts";
import { type ProtocolDomain, sessionTypes } from "../../../src/protocol/typed-data.ts";
import { aBackend } from "../../support/pool-backend.ts";
import { mutateText } from "../mutate-bytes.ts";
import { mutateJson } from "../mutate-json.ts";
import { sampleSchema } from "../sample-schema.ts";
import type { FuzzTarget } from "../target.ts";

const domain: ProtocolDomain = { chainId: 31_337, settlement: "0x5FbDB2315678afecb367f032d93F642f64180aa3" };
const unlimited = { perSecond: 1e9, burst: 1e9 };
const paths = [
  ...["/v1/session/challenge", "/v1/session", "/v1/claim", "/v1/heartbeat", "/v1/receipt", "/v1/capability"],
  ...["/v1/attest", "/v1/batch", "/v1/item", "/", "/v1/../etc", "/v1/%00", "//v1/claim", "/v1/claim?x=1"],
] as [string, ...string[]];

export const poolServer: FuzzTarget = {
  name: "pool-server",
  what: "the pool API over TLS, with and without a session",
  hangMs: 10_000,
  async open() {
    const authority = await createCertificateAuthority("fuzz");
    const tls = await issueServerCertificate(authority, { commonName: "pool", ipAddresses: ["127.0.0.1"] });
    const server = await startPoolServer({
      ...{ host: "127.0.0.1", port: 0, tls, pool: "fuzz", domain, backend: aBackend(), logger: silentLogger },
      limits: { ...defaultServerLimits, accountRate: unlimited, addressRate: unlimited },
    });
    const client = new Pool(server.url, { connect: { ca: tls.caPem }, headersTimeout: 8_000, bodyTimeout: 8_000 });
    const send = async (path: string, body: string, headers: Record<string, string>, method = "POST") => {
      const response = await client.request({
        path,
        method: method as "POST",
        headers,
        body: method === "GET" ? null : body,
      });
      return { status: response.statusCode, text: await response.body.text() };
    };
    const session = await openSession(send);
    return {
      async execute(random) {
        const path = random.pick(paths);
        const verb = (path.split("/").at(-1) ?? "") as keyof typeof requestSchemas;
        const good = sampleSchema(requestSchemas[verb] ?? requestSchemas.claim, random);
        const short = typeof good === "object" && good !== null && "waitMs" in good ? { ...good, waitMs: 0 } : good;
        const json = JSON.stringify(random.next() < 0.2 ? short : mutateJson(short, random));
        const body = random.next() < 0.15 ? mutateText(json, random) : json;
        const token = random.pick([session, session, session, "", "x".repeat(500), `${session}0`]);
        const type = random.pick([
          "application/json",
          "application/json",
          "text/plain",
          "application/json; charset=utf-16",
        ]);
        const headers = { "content-type": type, ...(token === "" ? {} : { authorization: `Bearer ${token}` }) };
        const { status, text } = await send(path, body, headers, random.pick(["POST", "POST", "POST", "PUT", "GET"]));
        if (status >= 500) throw new Error(`${path} answered ${status}: ${text.slice(0, 300)}`);
        const answer = JSON.parse(text) as { readonly error?: { readonly code?: string } };
        if (status >= 400 && answer.error?.code === undefined)
          throw new Error(`${path} answered ${status} without a code`);
        return status >= 400 ? `${status}` : "taken";
      },
      async close() {
        await client.destroy();
        await server.close();
      },
    };
  },
};

type Send = (path: string, body: string, headers: Record<string, string>) => Promise<{ status: number; text: string }>;

async function openSession(send: Send): Promise<string> {
  const signer = createSigner(Wallet.createRandom().privateKey);
  const headers = { "content-type": "application/json" };
  const who = { account: signer.address, role: "Worker" as const };
  const asked = await send("/v1/session/challenge", JSON.stringify(who), headers);
  const { challenge, expiresAtMs, pool } = JSON.parse(asked.text) as ChallengeResponse;
  const claim = { ...who, challenge, expiresAtMs };
  const signature = await signer.signTypedData(domain, sessionTypes, { ...claim, pool });
  const opened = await send("/v1/session", JSON.stringify({ ...claim, signature }), headers);
  return (JSON.parse(opened.text) as SessionResponse).token;
}
