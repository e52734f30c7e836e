/** A process that reads once, for the test that kills it while it does. */
import { readNvidiaSmi } from "../../../src/agent/nvidia-smi/read.ts";

const environment = { PATH: process.argv[2] ?? "" };
await readNvidiaSmi({ command: "nvidia-smi", timeoutMs: 600_000, maxOutputBytes: 1 << 20, environment });
