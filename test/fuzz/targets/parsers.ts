/** Functions that read what strangers wrote: they refuse with an error of ours, or give a value; nothing else, and soon. */
import { readdirSync, readFileSync } from "node:fs";
import { parseNvidiaSmi } from "../../../src/agent/nvidia-smi/parse.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import * as requests from "../../../src/pool/parse-request.ts";
import { requestSchemas } from "../../../src/pool/request-schemas.ts";
import type { SignedReceipt } from "../../../src/pool/wire.ts";
import { hashFindings } from "../../../src/protocol/model/findings.ts";
import { scanModel } from "../../../src/protocol/model/scan-model.ts";
import { parseOrder } from "../../../src/protocol/order.ts";
import { decodeCanonical, encodeCanonical } from "../../../src/protocol/tensors/canonical.ts";
import { tensorsFromJson } from "../../../src/protocol/tensors/json.ts";
import { readSafetensors, writeSafetensors } from "../../../src/protocol/tensors/safetensors.ts";
import { parseTraceEvent } from "../../../src/protocol/trace.ts";
import { checkReceipt } from "../../../src/validator/check-receipt.ts";
import { readOnnxGraph } from "../../../src/zk/onnx/read-graph.ts";
import type { SeededRandom } from "../../chaos/random.ts";
import { hostileModels } from "../../support/hostile-models.ts";
import { mutateBytes, mutateText } from "../mutate-bytes.ts";
import { type Json, mutateJson } from "../mutate-json.ts";
import { sampleSchema } from "../sample-schema.ts";
import { type FuzzTarget, refusalOf } from "../target.ts";

const root = new URL("../../../", import.meta.url);
const bytes32 = `0x${"ab".repeat(32)}`;
const address = `0x${"Ab".repeat(20)}`.toLowerCase();

function parser(name: string, what: string, execute: (random: SeededRandom) => string): FuzzTarget {
  return { name, what, hangMs: 2_000, open: () => ({ execute }) };
}

const tensors: Readonly<Record<string, Json>> = {
  x: { dtype: "float32", shape: [2, 2], data: [1, 2, 3, 4] },
  y: { dtype: "int64", shape: [1], base64: "AQAAAAAAAAA=" },
};

const order: Json = {
  message: {
    ...{ requester: address, pool: "default", maxPerTaskWei: "1", maxTotalWei: "10" },
    ...{ modelsRoot: bytes32, expiresAt: 1_900_000_000, nonce: "1" },
  },
  signature: `0x${"cd".repeat(65)}`,
};

const receipt: Json = {
  message: {
    ...{ taskId: bytes32, attempt: 1, worker: address, modelDigest: bytes32, imageDigest: bytes32 },
    ...{ codeDigest: bytes32, inputDigest: bytes32, outputDigest: bytes32, runtime: "test" },
    ...{ startedAtMs: 1, endedAtMs: 2 },
  },
  signature: `0x${"cd".repeat(64)}`,
};

const domain = { chainId: 31_337, settlement: address };
const owner = { taskId: bytes32, attempt: 1, worker: address } as unknown as Parameters<typeof checkReceipt>[2];

/** What is read must be what is written, or it was not what was read. */
function mustSurvive(bytes: Uint8Array): void {
  const read = decodeCanonical(bytes);
  if (!Buffer.from(encodeCanonical(read)).equals(Buffer.from(bytes)))
    throw new Error("two encodings of one value are taken");
}

export function parserTargets(): FuzzTarget[] {
  const folder = new URL("test/fixtures/nvidia-smi/", root);
  const documents = readdirSync(folder)
    .filter((name) => name.endsWith(".xml"))
    .map((name) => readFileSync(new URL(name, folder), "utf8")) as [string, ...string[]];
  const model = readFileSync(new URL("src/embedded/demo/models/mnist-int8.onnx", root));
  const scanned = [model, ...hostileModels().map(({ bytes }) => Buffer.from(bytes))] as [Buffer, ...Buffer[]];
  const values = tensorsFromJson({ x: tensors.x, y: { dtype: "uint8", shape: [3], data: [1, 2, 3] } });
  const canonical = encodeCanonical(values);
  const file = writeSafetensors(values);
  const verbs = Object.keys(requestSchemas) as (keyof typeof requestSchemas)[];
  const parseVerb = (verb: string, body: Buffer) => {
    const parse = Object.entries(requests).find(([name]) => name.toLowerCase() === `parse${verb}`)?.[1];
    if (parse === undefined) throw new Error(`no parser for ${verb}`);
    return parse(body);
  };
  const [first, ...more] = verbs;
  return [
    parser("pool-requests", "bodies of every call of the pool API", (random) => {
      const verb = random.pick([first!, ...more]);
      const body = sampleSchema(requestSchemas[verb], random);
      const text = JSON.stringify(random.next() < 0.1 ? body : mutateJson(body, random));
      return refusalOf(() => parseVerb(verb, Buffer.from(random.next() < 0.1 ? mutateText(text, random) : text)));
    }),
    parser("receipts", "signed receipts that a validator checks", (random) => {
      const given = mutateJson(receipt, random) as unknown as SignedReceipt;
      // Only what the pool's schema lets through gets here.
      const body = Buffer.from(
        JSON.stringify({
          namespace: "n",
          task: "t",
          outcome: { kind: "Completed", receipt: given, output: {}, items: 1 },
        }),
      );
      const shape = refusalOf(() => requests.parseReceipt(body));
      return shape === "taken" ? refusalOf(() => checkReceipt(domain, given, owner)) : shape;
    }),
    parser("orders", "a requester's order out of a Secret", (random) =>
      refusalOf(() => parseOrder(mutateText(JSON.stringify(mutateJson(order, random)), random))),
    ),
    parser("tensors-json", "inline tensors of tasks and receipts", (random) => {
      const given = mutateJson(tensors, random);
      return refusalOf(() => readInline(given as unknown as Parameters<typeof readInline>[0]));
    }),
    parser("tensors-canonical", "canonical bytes of tensors", (random) =>
      refusalOf(() => mustSurvive(mutateBytes(canonical, random))),
    ),
    parser("safetensors", "files of inputs", (random) => refusalOf(() => readSafetensors(mutateBytes(file, random)))),
    parser("nvidia-smi", "documents of nvidia-smi -q -x", (random) => {
      const text = mutateText(random.pick(documents), random);
      return refusalOf(() => checkReading(parseNvidiaSmi(text)));
    }),
    parser("onnx-graph", "models as the circuits' compiler reads them", (random) =>
      refusalOf(() => readOnnxGraph(mutateBytes(model, random))),
    ),
    parser("model-scan", "models as validators scan them", (random) =>
      refusalOf(() => hashFindings(scanModel(mutateBytes(random.pick(scanned), random)))),
    ),
    parser("trace", "lines of a recorded trace", (random) =>
      refusalOf(() =>
        parseTraceEvent(
          mutateText(JSON.stringify(mutateJson({ at: 1, event: "begin", version: 1 }, random)), random),
          1,
        ),
      ),
    ),
  ];
}

/** Whatever a document says, a reading keeps its promises. */
function checkReading({ gpus }: ReturnType<typeof parseNvidiaSmi>): void {
  for (const gpu of gpus) {
    const { memoryMiB } = gpu;
    if (!Number.isFinite(memoryMiB) || memoryMiB < 0 || memoryMiB > 2 ** 24)
      throw new Error(`a GPU of ${memoryMiB} MiB is believed`);
  }
}
