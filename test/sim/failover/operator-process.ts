/** An operator that can be killed: forked, with its configuration as the first message; says where its health and its pool API are. */
import { createLogger } from "../../../src/base/log.ts";
import type { OperatorConfig } from "../../../src/operator/config.ts";
import { runOperator } from "../../../src/operator/operator.ts";

const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort(new Error("stopped")));
process.once("message", async (config: OperatorConfig) => {
  await runOperator(config, {
    signal: stopping.signal,
    logger: createLogger({ level: "error" }),
    onServing: (poolUrl) => process.send?.({ poolUrl }),
    onMetrics: (healthUrl) => process.send?.({ healthUrl }),
  });
  process.disconnect();
});
