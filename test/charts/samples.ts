/**
 * Runs manifests/samples on an installed chart as a user would: what they refer to is made first (models and inputs are served,
 * the requester's order is signed, the remote worker is started outside the cluster), and nothing of them is changed but the
 * hosts that only exist in examples.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Wallet } from "ethers";
import { type GuardedChild, startGuarded } from "../../src/embedded/chain/guarded-child.ts";
import { cutBatches, loadMnist, pixelsPerImage } from "../../src/embedded/demo/data/mnist.ts";
import { buildSileroInput, loadSpeech, sileroModelPath } from "../../src/embedded/demo/data/silero.ts";
import { signOrder } from "../../src/embedded/demo/workload.ts";
import { createClient } from "../../src/kube/client.ts";
import { configMaps } from "../../src/kube/core-resources.ts";
import { writeSafetensors } from "../../src/protocol/tensors/safetensors.ts";
import type { CommandLine } from "../integration/clients/command-line.ts";
import { type ChartCluster, readModel, system } from "./chart-cluster.ts";

const folder = new URL("../../manifests/samples/", import.meta.url);

/** Names of the tasks that were applied. */
export async function applySampleTasks(open: ChartCluster, kubectl: CommandLine): Promise<string[]> {
  await createPaidParts(open, kubectl);
  const applied = await kubectl.ok(["apply", "-f", "-", "-o", "name"], { input: await readSamples(open) });
  const names = applied.split("\n").map((line) => line.replace("inferencetask.inferium.io/", ""));
  const { length } = await sampleFiles("task");
  if (names.length !== length) throw new Error(`${length} samples gave ${names.length} tasks: ${applied}`);
  return names;
}

/** All tasks of the folder, or what else its files are called after, whose models and inputs this serves. */
export async function readSamples(open: ChartCluster, kind = "task"): Promise<string> {
  const hosts = await publishSources(open);
  const texts = await Promise.all((await sampleFiles(kind)).map((name) => readFile(new URL(name, folder), "utf8")));
  return texts.map((text) => text.replaceAll(/https:\/\/(models|data)\.example\.com\//g, hosts)).join("---\n");
}

async function sampleFiles(kind: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith(`${kind}-`)).sort();
}

/** Serves what the samples name under one address, which it returns. */
async function publishSources({ artifacts }: ChartCluster): Promise<string> {
  const [model, vad, mnist, speech] = await Promise.all([
    readModel(),
    readFile(sileroModelPath()),
    loadMnist("test"),
    loadSpeech(),
  ]);
  const first = (count: number) => {
    const images = mnist.images.subarray(0, count * pixelsPerImage);
    const [batch] = cutBatches({ count, images, labels: mnist.labels.subarray(0, count) }, count);
    return batch?.file ?? new Uint8Array();
  };
  const { uri } = artifacts.publish("mnist-int8.onnx", model);
  artifacts.publish("silero-vad-v5.onnx", vad);
  artifacts.publish("seven.safetensors", first(1));
  artifacts.publish("digits.safetensors", first(64));
  artifacts.publish("speech.safetensors", writeSafetensors(buildSileroInput(speech).tensors));
  return uri.replace("mnist-int8.onnx", "");
}

/** The order and the input that the paid sample names. */
async function createPaidParts({ chain }: ChartCluster, kubectl: CommandLine): Promise<void> {
  const order = await signOrder(new Wallet(chain.requester.privateKey), {
    pool: "default",
    domain: { chainId: 31_337, settlement: chain.addresses.settlement },
    expiresAt: Math.floor(Date.now() / 1_000) + 86_400,
    nonce: 1n,
  });
  const mnist = await loadMnist("test");
  const base64 = Buffer.from(mnist.images.subarray(0, pixelsPerImage)).toString("base64");
  const pixels = { dtype: "uint8", shape: [1, pixelsPerImage], base64 };
  const create = (args: string, file: string, text: object) =>
    kubectl.ok([...args.split(" "), "-n", "default", `--from-literal=${file}=${JSON.stringify(text)}`]);
  await create("create secret generic my-order", "order.json", order);
  await create("create configmap my-input", "input.json", { pixels });
}

/**
 * The remote member: its WorkerNode from the sample, the administrator's word for its hardware as docs/install.md says, and
 * its worker as a process that knows the pool's address and authority, and no cluster.
 */
export async function startRemoteSample(open: ChartCluster, kubectl: CommandLine): Promise<GuardedChild> {
  await kubectl.ok(["apply", "-f", fileURLToPath(new URL("worker-node-remote.yaml", folder))]);
  const status = { tier: "Low", capability: { level: "Inspected" } };
  const vouch = ["patch", "wn", "sample-remote", "--subresource=status", "--type=merge", "-p"];
  await kubectl.ok([...vouch, JSON.stringify({ status })]);
  const directory = join(open.cluster.directory, "remote");
  await mkdir(directory);
  const ca = await createClient(open.cluster.transport, configMaps).get({
    namespace: system,
    name: "inferium-pool-ca",
  });
  await writeFile(join(directory, "ca.crt"), ca.data?.["ca.crt"] ?? "");
  await writeFile(join(directory, "key"), open.chain.remote.privateKey, { mode: 0o600 });
  const pool = open.values.pool as { readonly url: string };
  return startGuarded(process.execPath, [fileURLToPath(new URL("../../dist/main.js", import.meta.url)), "worker"], {
    cwd: directory,
    env: {
      HOME: directory,
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      INFERIUM_POOL_URL: pool.url,
      INFERIUM_POOL_CA_FILE: join(directory, "ca.crt"),
      INFERIUM_KEY_FILE: join(directory, "key"),
      INFERIUM_CACHE_DIR: join(directory, "cache"),
      INFERIUM_STATE_DIR: join(directory, "state"),
      INFERIUM_SLOTS: "2",
      INFERIUM_ALLOWED_ADDRESSES: "127.0.0.0/8",
    },
  });
}
