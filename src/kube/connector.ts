/**
 * Opens sockets for the pool with the TLS material that the connection has at that moment, so that a rotated client
 * certificate or CA is used by the next socket without a restart.
 */
import { buildConnector } from "undici";
import type { KubeConnection, TlsMaterial } from "./connection.ts";

const connectTimeoutMs = 10_000;

export function createConnector(connection: KubeConnection): buildConnector.connector {
  let built: { readonly tls: TlsMaterial; readonly connect: buildConnector.connector } | undefined;
  const connect = async (options: buildConnector.Options, callback: buildConnector.Callback) => {
    const tls = await connection.tls();
    if (built?.tls !== tls) built = { tls, connect: buildConnector(connectOptions(tls)) };
    built.connect(options, callback);
  };
  return (options, callback) => {
    connect(options, callback).catch((error: unknown) => callback(asError(error), null));
  };
}

function connectOptions(tls: TlsMaterial): buildConnector.BuildOptions {
  return {
    // HTTP/1.1 only: with HTTP/2 one reset connection would end every watch at once.
    allowH2: false,
    timeout: connectTimeoutMs,
    rejectUnauthorized: tls.insecureSkipVerify !== true,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
