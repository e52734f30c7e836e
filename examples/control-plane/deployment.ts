/** With controllers and the scheduler, a deployment becomes pods on a node that the test makes. No kubelet runs them. */
import { startControlPlane } from "../../src/embedded/control-plane.ts";

export async function scheduleDeployment(): Promise<readonly string[]> {
  const cluster = await startControlPlane({ controllers: true, scheduler: true });
  try {
    const send = (method: "GET" | "POST", path: string, body?: object) =>
      cluster.transport.request({ method, path, ...(body === undefined ? {} : { body }) });
    await send("POST", "/api/v1/nodes", {
      metadata: { name: "node-1" },
      status: {
        allocatable: { cpu: "4", memory: "8Gi", pods: "10" },
        conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: new Date().toISOString() }],
      },
    });
    const labels = { app: "web" };
    await send("POST", "/apis/apps/v1/namespaces/default/deployments", {
      metadata: { name: "web" },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "web" }] } },
      },
    });
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const pods = (await send("GET", "/api/v1/namespaces/default/pods")) as {
        items: { spec: { nodeName?: string } }[];
      };
      const nodes = pods.items.map((pod) => pod.spec.nodeName ?? "").filter((name) => name !== "");
      if (nodes.length === 2) return nodes;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("no two pods were scheduled within 20 s");
  } finally {
    await cluster.close();
  }
}
