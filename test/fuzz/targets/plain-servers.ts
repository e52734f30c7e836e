/**
 * Servers without a protocol of their own, given bytes that are hardly HTTP: health and metrics, and the artifact server. Whatever
 * comes, the next good request is answered.
 */
import { connect } from "node:net";
import { Registry } from "prom-client";
import { sha256 } from "../../../src/base/digest.ts";
import { startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { startHealthServer } from "../../../src/kube/health-server.ts";
import type { SeededRandom } from "../../chaos/random.ts";
import { mutateBytes } from "../mutate-bytes.ts";
import type { FuzzTarget } from "../target.ts";

const often = { perSecond: 1e9, burst: 1e9 };
const bytes = Buffer.from("an artifact");
const digest = sha256(bytes).replace(":", "-");

const paths = [
  ...[
    "/healthz",
    "/readyz",
    "/metrics",
    "/metrics?x=%00",
    "/artifact",
    `/store/${digest}`,
    "/store/sha256-0",
    "/store/",
  ],
  ...[
    "/store/../artifact",
    "//",
    "*",
    "http://[::1",
    "/%",
    `/${"a".repeat(9_000)}`,
    "/store/__proto__",
    "/constructor",
  ],
] as [string, ...string[]];

export const plainServers: FuzzTarget = {
  name: "plain-servers",
  what: "health, metrics and the artifact server: bytes that are hardly HTTP",
  hangMs: 15_000,
  async open() {
    const health = await startHealthServer({
      ...{ host: "127.0.0.1", port: 0, registry: new Registry(), live: {}, ready: {} },
      bounds: { callRate: often },
    });
    const artifacts = await startArtifactServer({ callRate: often });
    const { uri } = artifacts.publish("artifact", bytes);
    const places = [
      { port: health.port, good: `http://127.0.0.1:${health.port}/healthz` },
      { port: Number(new URL(uri).port), good: uri },
    ] as const;
    return {
      async execute(random) {
        const { port, good } = random.pick(places);
        const answer = await sendRaw(port, mutateBytes(Buffer.from(aRequest(random)), random, random.between(1, 4)));
        const { status } = await fetch(good, { signal: AbortSignal.timeout(12_000) });
        if (status !== 200) throw new Error(`${good} answered ${status}`);
        if (/^HTTP\/1\.1 500/.test(answer)) throw new Error(`an answer of 500: ${answer.slice(0, 300)}`);
        return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "cut off";
      },
      async close() {
        await health.close();
        await artifacts.close();
      },
    };
  },
};

function aRequest(random: SeededRandom): string {
  const method = random.pick(["GET", "GET", "HEAD", "PUT", "PUT", "POST", "OPTIONS", "CONNECT", "TRACE", "get"]);
  const path = random.pick(paths);
  const body = random.pick(["an artifact", "", "x".repeat(500)]);
  const length = random.pick([String(body.length), String(body.length), "0", "-1", "99999999999", "1e3", "11, 11"]);
  const head = random.pick([
    `content-length: ${length}`,
    `content-length: ${length}`,
    "transfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 5",
    "expect: 100-continue",
    "connection: upgrade\r\nupgrade: websocket",
  ]);
  const host = random.pick(["host: x", "host: x", "host: x\r\nhost: y", ""]);
  return `${method} ${path} HTTP/1.1\r\n${host}${host === "" ? "" : "\r\n"}${head}\r\n\r\n${body}`;
}

/** Says what it has to say, and hears what comes until the other side ends, or for a moment. */
function sendRaw(port: number, request: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1");
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(end, 100);
    socket.setEncoding("latin1").on("data", (text) => {
      answer = `${answer}${text}`.slice(0, 1_000);
      end();
    });
    socket.on("error", end).on("close", end);
    socket.end(request);
  });
}
