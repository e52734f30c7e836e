/** `inferium top`: the pool at a glance. */
import { createClient } from "../kube/client.ts";
import { type CliContext, type ClusterOptions, tasks, workerNodes } from "./context.ts";
import { formatPool, viewPool } from "./pool-view.ts";

export interface TopOptions extends ClusterOptions {
  readonly output?: "text" | "json";
}

/** Tasks of all namespaces, unless one is asked for. @returns the exit status */
export async function runTop(options: TopOptions, context: CliContext): Promise<number> {
  const { transport } = context.cluster;
  const selection = { namespace: options.namespace, signal: context.signal };
  const [taskList, workerNodeList] = await Promise.all([
    createClient(transport, tasks).list(selection),
    createClient(transport, workerNodes).list({ signal: context.signal }),
  ]);
  const view = viewPool(taskList.items, workerNodeList.items);
  for (const line of options.output === "json" ? [JSON.stringify(view)] : formatPool(view)) context.io.out(line);
  return 0;
}
