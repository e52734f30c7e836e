/** Ports on loopback that are free now. They are taken moments later; a race shows as the taker's own clear error. */
import { createServer } from "node:net";
import { InferiumError } from "../../base/errors.ts";

export async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** @throws InferiumError PortBusy */
export async function checkPortFree(port: number, what: string, option: string): Promise<void> {
  const server = await listen(port).catch((cause) => {
    const message = `Port ${port} for the ${what} is taken on 127.0.0.1. Stop what listens there, or give another one with ${option}.`;
    throw new InferiumError("PortBusy", message, { disposition: "fatal", cause });
  });
  await new Promise((resolve) => server.close(resolve));
}

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
