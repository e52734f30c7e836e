/** `inferium zk fetch` from a folder and from a server: what comes is what the digests say, or nothing is kept. */

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { runFetch } from "../../../src/cli/zk/fetch.ts";
import type { ZkSession } from "../../../src/cli/zk/zk-session.ts";
import { ProofArtifactStore } from "../../../src/zk/proving/artifact-store.ts";
import type { CircuitRecord } from "../../../src/zk/proving/circuit-record.ts";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";

const key = Buffer.from("a proving key");
const record: CircuitRecord = {
  modelDigest: sha256("model"),
  rows: 1,
  constraintCount: 7,
  r1csDigest: sha256("r1cs"),
  provingKeyDigest: sha256(key),
  verifyingKeyDigest: sha256("verifying key"),
  verifyingKey: {
    alpha: ["1", "2"],
    beta: [
      ["1", "2"],
      ["3", "4"],
    ],
    gamma: [
      ["1", "2"],
      ["3", "4"],
    ],
    delta: [
      ["5", "6"],
      ["7", "8"],
    ],
    ic: [["1", "2"]],
  },
  ceremony: { powersOfTau: sha256("powers"), contributors: ["one"], isDevelopment: true },
};
const text = JSON.stringify(record);
const lines: string[] = [];
const backend = createSnarkjsBackend();
const session: ZkSession = { io: { out: (line) => void lines.push(line), note: () => undefined }, env: {}, backend };

let dir: string;
let server: Server;
const at = (name: string) => join(dir, name);
const urlOf = (name: string, of: string | Buffer) => `${pathToFileURL(at(`published/${name}`)).href}#${sha256(of)}`;
const options = (store: string, ...sources: string[]) => ({
  store: at(store),
  record: sources,
  allowDevelopmentSetup: true,
  fileRoot: [at("published")],
  output: "json" as const,
});

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-fetch-"));
  await mkdir(at("published"));
  await writeFile(at("published/circuit.json"), text);
  await writeFile(at(`published/${record.provingKeyDigest.replace(":", "-")}`), key);
  await writeFile(at("published/other.json"), JSON.stringify({ ...record, provingKeyDigest: sha256("not published") }));
  await writeFile(at("published/list.json"), "[]");
  server = createServer((request, response) => {
    readFile(join(at("published"), request.url ?? "")).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await backend.close();
  await rm(dir, { recursive: true, force: true });
});

test.each([
  ["a folder", () => urlOf("circuit.json", text)],
  ["a server", () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/circuit.json#${sha256(text)}`],
])("record and key come from %s, and are opened by their digests", async (from, source) => {
  const store = from.replace(" ", "-");
  expect(await runFetch(options(store, source()), session)).toBe(0);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
    security: "development, not secure",
    records: [{ modelDigest: record.modelDigest, rows: 1 }],
  });
  const kept = new ProofArtifactStore(at(store));
  expect(await kept.readRecord(record.modelDigest, 1)).toEqual(record);
  expect(await readFile(await kept.open(record.provingKeyDigest))).toEqual(key);
});

test("a key that is there already is not fetched again", async () => {
  await runFetch(options("twice", urlOf("circuit.json", text)), session);
  const path = at(`published/${record.provingKeyDigest.replace(":", "-")}`);
  await rm(path);
  expect(await runFetch(options("twice", urlOf("circuit.json", text)), session)).toBe(0);
  await writeFile(path, key);
});

test("a dry run keeps nothing", async () => {
  await runFetch({ ...options("dry", urlOf("circuit.json", text)), dryRun: true }, session);
  await expect(readdir(at("dry"))).rejects.toMatchObject({ code: "ENOENT" });
});

test.each([
  ["a source without a digest", "InvalidOption", () => ["https://keys.example.org/circuit.json"]],
  ["another record than was named", "DigestMismatch", () => [urlOf("circuit.json", "another")]],
  ["what is no record", "InvalidRecord", () => [urlOf("list.json", "[]")]],
  [
    "a record whose key is not there",
    "NotFound",
    () => [urlOf("other.json", JSON.stringify({ ...record, provingKeyDigest: sha256("not published") }))],
  ],
])("refuses %s, and keeps nothing", async (_, code, sources) => {
  await expect(runFetch(options("refused", ...sources()), session)).rejects.toMatchObject({ code });
  const kept = await readdir(at("refused")).catch(() => []);
  expect(kept).toEqual([]);
});

test("refuses keys of a development setup unless they are allowed", async () => {
  const strict = { ...options("strict", urlOf("circuit.json", text)), allowDevelopmentSetup: false };
  await expect(runFetch(strict, session)).rejects.toMatchObject({ code: "DevelopmentSetup" });
});
