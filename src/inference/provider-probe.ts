/**
 * Finds out in a child process whether an execution provider works here. Some fail in native code: webgpu without a
 * Vulkan driver ends its process with a segmentation fault at exit. A probe may die of that; a worker must not.
 * Effects: starts one short-lived process per provider and remembers its answer.
 */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { probeInput, probeModel, probeOutput } from "./probe-model.ts";

const script = `
const [, modulePath, provider, model] = process.argv;
const ort = require(modulePath);
ort.env.logLevel = "fatal";
const options = { executionProviders: [provider], logSeverityLevel: 4, extra: { session: { disable_cpu_ep_fallback: "1" } } };
ort.InferenceSession.create(Buffer.from(model, "base64"), options)
  .then((session) => session.run({ x: new ort.Tensor("float32", [${probeInput}], [1]) }))
  .then((result) => process.stdout.write(result.y.data[0] === ${probeOutput} ? "works" : "computes wrong results"))
  .catch((error) => process.stdout.write(String(error.message)));
`;

export interface ProbeResult {
  readonly available: boolean;
  readonly reason: string;
}

const probeTimeoutMs = 60_000;
const answers = new Map<string, Promise<ProbeResult>>();

/** @param provider as onnxruntime names it: cuda, tensorrt, webgpu */
export function probeProvider(provider: string): Promise<ProbeResult> {
  const known = answers.get(provider);
  if (known !== undefined) return known;
  const answer = runProbe(provider);
  answers.set(provider, answer);
  return answer;
}

function runProbe(provider: string): Promise<ProbeResult> {
  const modulePath = createRequire(import.meta.url).resolve("onnxruntime-node");
  const options = { timeout: probeTimeoutMs, killSignal: "SIGKILL", maxBuffer: 1024 * 1024 } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, ["-e", script, modulePath, provider, probeModel], options, (error, stdout) => {
      // What it wrote counts, not how it ended: a driver that crashes at exit has worked until then.
      const available = stdout === "works";
      const reason =
        stdout === "" ? `the probe ended without an answer (${error?.signal ?? error?.code ?? "no output"})` : stdout;
      resolve({ available, reason: reason.split("\n")[0]?.slice(0, 300) ?? "" });
    });
  });
}
