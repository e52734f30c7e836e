/**
 * Connections to the pool that trust whom the authorities' file names at the time: who certified the pool may change while a member
 * runs, and a member of another cluster is not restarted for that. Called by client-transport.ts. Effects: reads the file for each new
 * connection; connections that are open stay.
 */
import { buildConnector } from "undici";

/** PEM text of one or several authorities, or what reads it. */
export type TrustedAuthorities = string | (() => Promise<string>);

export function createTrustConnector(authorities: TrustedAuthorities, timeoutMs: number): buildConnector.connector {
  let made: { readonly ca: string; readonly connect: buildConnector.connector } | undefined;
  const connectWith = (ca: string) => {
    if (made?.ca !== ca) made = { ca, connect: buildConnector({ timeout: timeoutMs, allowH2: false, ca }) };
    return made.connect;
  };
  if (typeof authorities === "string") return connectWith(authorities);
  return (options, callback) => {
    authorities().then(
      (ca) => connectWith(ca)(options, callback),
      (error: Error) => callback(error, null),
    );
  };
}
