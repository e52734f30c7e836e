/** A standalone kubelet as a process of its own, for tests that kill it. Arguments: kubeconfig, node name, directory. */
import { systemClock } from "../../../src/base/clock.ts";
import { createLogger } from "../../../src/base/log.ts";
import { runStandaloneKubelet } from "../../../src/embedded/kubelet/standalone.ts";

const [kubeconfigPath = "", nodeName = "", rootDir = ""] = process.argv.slice(2);
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort(new Error("SIGTERM")));
await runStandaloneKubelet({
  ...{ kubeconfigPath, nodeName, rootDir },
  images: { sh: { entrypoint: ["/bin/sh"] } },
  hostEnv: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
  logger: createLogger({ level: "warn" }),
  clock: systemClock,
  signal: stopping.signal,
});
