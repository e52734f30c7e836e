/**
 * An embedded API server that keeps its objects on disk and can be started anew on them, at an address that stays. What it knew of
 * its history is gone then, as after a compaction: who watched from before is told 410.
 */
import { silentLogger } from "../../../src/base/log.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import type { Cluster } from "../../integration/operator/operator-fixture.ts";
import { startGate } from "../gate.ts";

export interface RestartingServer {
  readonly server: Cluster["server"];
  restart(): Promise<void>;
}

/** @param dataDir empty */
export async function startRestartingServer(dataDir: string): Promise<RestartingServer> {
  const gate = await startGate();
  const start = async () => {
    const started = await startApiServer({ dataDir, logger: silentLogger });
    gate.setTarget(Number(new URL(started.url).port));
    gate.setOpen(true);
    return started;
  };
  let current: ApiServer = await start();
  const { adminToken, caPem } = current;
  const stop = async () => {
    gate.setOpen(false);
    await current.close();
  };
  return {
    server: {
      ...{ url: `https://127.0.0.1:${gate.port}`, adminToken, caPem },
      writes: () => current.writes(),
      close: async () => {
        await stop();
        await gate.close();
      },
    },
    restart: async () => {
      await stop();
      current = await start();
    },
  };
}
