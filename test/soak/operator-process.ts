/** The operator of a soak, in a process of its own, which says where its pool API is and what it holds when asked. */
import { createLogger } from "../../src/base/log.ts";
import type { OperatorConfig } from "../../src/operator/config.ts";
import { runOperator } from "../../src/operator/operator.ts";
import { answerSamples } from "./sample.ts";

const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort(new Error("stopped")));
process.once("message", async (config: OperatorConfig) => {
  answerSamples();
  await runOperator(config, {
    signal: stopping.signal,
    logger: createLogger({ level: "error" }),
    onServing: (poolUrl) => process.send?.({ poolUrl }),
  });
  process.disconnect();
});
