/** All incidents by name, in the order of the design's table. */
import { simulateCapability } from "../capability/simulate.ts";
import type { ScenarioOptions } from "../scenario.ts";
import { runTests, type ShowingTests } from "./by-tests.ts";
import type { Incident } from "./incident.ts";
import { poolIncidents } from "./pool-incidents.ts";
import { playTwoGpuTypes } from "./two-gpu-types.ts";

type Words = Pick<Incident, "name" | "elsewhere" | "here">;

const byCasts = (words: Words, casts: readonly string[]): Incident => ({
  ...words,
  shownBy: `machines of the capability simulation: ${casts.join(", ")}`,
  run: (options: ScenarioOptions) => simulateCapability({ ...options, numbers: { machines: 10, hours: 24 } }, casts),
});

const byTests = (words: Words, ...tests: readonly ShowingTests[]): Incident => ({
  ...words,
  shownBy: tests.map(({ file }) => file).join(", "),
  run: (options: ScenarioOptions) => runTests(tests, options),
});

export const incidents: readonly Incident[] = [
  byCasts(
    {
      name: "absurd-gpu-count",
      elsewhere: "an inventory reported 18446744073709551615 GPUs (akash support#137, #429)",
      here: "the reading is disputed, says why, and nothing is matched to it",
    },
    ["absurd-gpu-count", "honest-gpu"],
  ),
  byCasts(
    {
      name: "unhealthy-gpu",
      elsewhere: "GPUs with ECC or Xid errors were offered on, or counted twice (akash support#249, #244)",
      here: "they are left out, and the machine counts for what is whole",
    },
    ["unhealthy-gpu", "honest-gpu"],
  ),
  byCasts(
    {
      name: "fake-nvidia-smi",
      elsewhere: "a network counted some 1.8 million GPUs that were not there; a 3x3 product was the proof of one",
      here: "a forged document, a copied UUID and a CPU in a GPU's place each fail at their rung",
    },
    ["fake-nvidia-smi", "duplicate-uuid", "cpu-imposter", "computes-a-part", "honest-gpu"],
  ),
  ...poolIncidents,
  {
    name: "fp8-two-gpu-types",
    elsewhere: "honest FP8 results on two GPU types differed as much as cheating did (gonka's documentation)",
    here: "a pair of runtimes that was never compared on the model slashes nobody; one that was condemns only what lies beyond",
    shownBy: "the whole operator, with validators of two runtimes",
    run: playTwoGpuTypes,
  },
  byTests(
    {
      name: "avx2-saturation",
      elsewhere: "products of 8-bit integers saturate on AVX2 without VNNI, and honest machines differ (onnxruntime)",
      here: "only models whose weights stay within 7 bits are fit for Exact",
    },
    { file: "test/unit/protocol/model/scan-model.test.ts", named: "the weights of 8-bit products|fit for Exact" },
    { file: "test/unit/protocol/task.test.ts", named: "not fit for Exact" },
  ),
  byTests(
    {
      name: "slasher-takes-all",
      elsewhere: "what was slashed went to whoever called for it",
      here: "the caller gets nothing; a reporter who committed before gets its share, the rest is burnt, and there is an appeal",
    },
    { file: "test/integration/chain/slash.test.ts", named: "costs its worker a tenth" },
    { file: "test/integration/chain/disputes.test.ts" },
  ),
  byTests(
    {
      name: "client-always-accepts",
      elsewhere: "the check was commented out, and every result accepted",
      here: "policy None runs only where the pool allows it, and the status says Unverified",
    },
    { file: "test/unit/protocol/task.test.ts", named: "policy None" },
    { file: "test/unit/protocol/lifecycle.test.ts", named: "says Unverified" },
    { file: "test/integration/operator/faults.test.ts", named: "inadmissible task" },
  ),
  byTests(
    {
      name: "proof-inputs",
      elsewhere: "a verifier trusted the prover's public inputs",
      here: "validators and contract rebuild every public input, and refuse a proof for another task, model or result",
    },
    { file: "test/integration/zk/flow.test.ts", named: "forged result|relabelled for another task|other weights" },
  ),
  byTests(
    {
      name: "attestation-omits-code",
      elsewhere: "the attestation did not measure the serving code (chutes#75)",
      here: "a receipt binds model, image and code digests, input, output, worker and attempt",
    },
    { file: "test/unit/worker/attempt.test.ts", named: "ends in a receipt" },
  ),
  byTests(
    {
      name: "webhook-collapse",
      elsewhere: "a slow webhook failed 98.7 % of pod creations (volcano)",
      here: "no webhook is installed; CEL validates",
    },
    { file: "test/unit/manifests/no-webhooks.test.ts" },
  ),
  byTests(
    {
      name: "informer-death",
      elsewhere: "one 429, 500 or reset stopped an informer for ever (client-node)",
      here: "no event is missed, made up or left open behind proxies that fail in every way",
    },
    { file: "test/integration/kube/chaos.test.ts" },
  ),
  byTests(
    {
      name: "lease-micro-time",
      elsewhere: "toISOString() in a Lease was refused, and nobody ever led",
      here: "times have six digits, as a strict server asks",
    },
    { file: "test/unit/kube/lease.test.ts", named: "six-digit times" },
  ),
];
