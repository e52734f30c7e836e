/** All fuzz targets, in the order in which they are run. */
import type { FuzzTarget } from "./target.ts";
import { apiServer } from "./targets/api-server.ts";
import { gateway } from "./targets/gateway.ts";
import { onnxSession } from "./targets/onnx-session.ts";
import { parserTargets } from "./targets/parsers.ts";
import { plainServers } from "./targets/plain-servers.ts";
import { poolServer } from "./targets/pool-server.ts";

export const targets: readonly FuzzTarget[] = [
  ...parserTargets(),
  ...[poolServer, apiServer, gateway, plainServers, onnxSession],
];
