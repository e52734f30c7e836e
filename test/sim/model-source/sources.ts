/**
 * The sources that a tenant may name, good and bad: what each is, and how a worker must say it failed. The bad ones do what has
 * taken down or opened others: silence, floods, packed zeros, ways to the machine's own addresses and files.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { deflateRawSync, gzipSync } from "node:zlib";
import { type Digest, sha256 } from "../../../src/base/digest.ts";
import { probeModel } from "../../../src/inference/probe-model.ts";
import type { FailureReason } from "../../../src/worker/classify-failure.ts";

const mebibyte = 2 ** 20;
/** Of one artifact, in the simulation. */
export const maxArtifactBytes = 8 * mebibyte;
export const idleTimeoutMs = 400;
/** Of one download. */
export const downloadTimeoutMs = 1_500;

/** Where files lie, and the server's address. */
export interface Ground {
  /** Folder that may be read, and one beside it that may not. */
  readonly models: string;
  readonly secrets: string;
  readonly port: number;
}

type Want = { readonly reason: FailureReason; readonly retryable: boolean } | "success";

export interface Source {
  readonly name: string;
  uri(ground: Ground): string;
  readonly digest: Digest;
  readonly want: Want;
  readonly handle?: Handle;
}

/** @param model what is right */
type Handle = (exchange: Exchange) => void;

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly count: number;
  readonly model: Buffer;
}

/** The model of one node, told apart by its documentation: what is known by its digest is not fetched again. */
export function modelOf(name: string): Buffer {
  const text = Buffer.from(name);
  return Buffer.concat([Buffer.from(probeModel, "base64"), Buffer.from([0x32, text.length]), text]);
}

const unavailable = { reason: "ModelUnavailable", retryable: true } as const;
const wrongBytes = { reason: "DigestMismatch", retryable: false } as const;
const noModel = { reason: "ModelInvalid", retryable: false } as const;

const zeros = Buffer.alloc(7 * mebibyte);
/** 256 MiB of zeros, in a quarter of one. */
const packedZeros = gzipSync(Buffer.alloc(256 * mebibyte));
const zip = buildZip("../../../../etc/cron.d/model.onnx", Buffer.alloc(64 * mebibyte));

function served(name: string, want: Want, handle: Handle, digest = sha256(modelOf(name))): Source {
  return { name, uri: ({ port }) => `http://127.0.0.1:${port}/${name}`, digest, want, handle };
}

function named(name: string, uri: Source["uri"], want: Want = unavailable): Source {
  return { name, uri, digest: sha256(modelOf(name)), want };
}

const redirect = (name: string, location: (port: number) => string): Source =>
  served(name, unavailable, ({ request, response }) => {
    response.writeHead(302, { location: location(request.socket.localPort ?? 0) }).end();
  });

export const sources: readonly Source[] = [
  served("good", "success", ({ response, model }) => void response.end(model)),
  served("redirected", "success", ({ request, response, model }) => {
    if (request.url?.endsWith("?again")) response.end(model);
    else response.writeHead(307, { location: "/redirected?again" }).end();
  }),
  served("down-at-first", "success", ({ response, model, count }) => {
    if (count % 3 === 0) response.end(model);
    else response.writeHead(503).end();
  }),
  named("file", ({ models }) => `file://${models}/good.onnx`, "success"),

  served("down", unavailable, ({ response }) => void response.writeHead(500).end()),
  served("not-there", unavailable, ({ response }) => void response.writeHead(404).end()),
  named("refused", () => "http://127.0.0.1:9/model.onnx"),
  served("silent", unavailable, () => undefined),
  served("stalls", unavailable, ({ response, model }) => void response.write(model.subarray(0, 20))),
  served("drips", unavailable, drip),
  served("breaks-off", unavailable, ({ response, model }) => {
    response.writeHead(200, { "content-length": model.length });
    response.write(model.subarray(0, 20), () => response.destroy());
  }),
  served("resets", unavailable, ({ request }) => void request.socket.resetAndDestroy()),

  served("wrong-digest", wrongBytes, ({ response }) => void response.end(zeros)),
  served("packed-unasked", wrongBytes, ({ response, model }) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(model));
  }),
  served("huge", unavailable, ({ response }) => response.writeHead(200, { "content-length": 2 ** 40 }).flushHeaders()),
  served("endless", unavailable, flood),
  served("zeros", noModel, ({ response }) => void response.end(zeros), sha256(zeros)),
  served("gzip-of-zeros", noModel, ({ response }) => void response.end(packedZeros), sha256(packedZeros)),
  served("zip-of-zeros.zip", noModel, ({ response }) => void response.end(zip), sha256(zip)),

  redirect("redirect-to-metadata", () => "http://169.254.169.254/latest/meta-data/iam"),
  redirect("redirect-to-loopback-name", (port) => `http://inside.test:${port}/good`),
  redirect("redirect-to-other-loopback", (port) => `http://127.0.0.2:${port}/good`),
  redirect("redirect-to-file", () => "file:///etc/passwd"),
  redirect("redirect-for-ever", (port) => `http://127.0.0.1:${port}/redirect-for-ever`),
  named("metadata", () => "http://169.254.169.254/latest/meta-data/"),
  named("metadata-in-ipv6", () => "http://[::ffff:169.254.169.254]/latest/"),
  named("loopback-in-decimal", ({ port }) => `http://2130706434:${port}/good`),
  named("name-of-loopback", ({ port }) => `http://inside.test:${port}/good`),
  named("rebinding", ({ port }) => `http://rebinding.test:${port}/good`),
  named("credentials", ({ port }) => `http://user:secret@127.0.0.1:${port}/good`),
  named("other-scheme", () => "gopher://127.0.0.1/x"),

  named("traversal", ({ models }) => `file://${models}/../secrets/key`),
  named("traversal-encoded", ({ models }) => `file://${models}/%2e%2e/secrets/key`),
  named("link-out", ({ models }) => `file://${models}/link`),
  named("folder", ({ models }) => `file://${models}/folder`),
  named("pipe", ({ models }) => `file://${models}/pipe`),
  named("device", () => "file:///dev/zero"),
  named("device-by-link", ({ models }) => `file://${models}/zero`),
  named("inside-an-archive", ({ models }) => `file://${models}/models.zip!/model.onnx`),
  named("null-byte", ({ models }) => `file://${models}/good.onnx%00.txt`),
];

function drip({ response, model }: Exchange): void {
  let at = 0;
  const timer = setInterval(() => response.write(model.subarray(at, ++at)), 100);
  response.on("close", () => clearInterval(timer));
}

function flood({ response }: Exchange): void {
  const write = () => {
    while (!response.destroyed && response.write(zeros.subarray(0, mebibyte)));
  };
  response.on("drain", write);
  write();
}

/** A ZIP of one file, with a name that leads out of the folder that it is unpacked into. */
function buildZip(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt32LE(content.length, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name), packed]);
}
