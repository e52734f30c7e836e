/**
 * Runs the handlers of probes and hooks: exec in the container's environment, HTTP GET, TCP connect, gRPC health check,
 * sleep. Effects: a short-lived process or socket, ended within the time-out and with the container.
 */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Container, Handler, HttpGetAction, Probe } from "./core-types.ts";
import type { GroupLedger } from "./group-ledger.ts";
import { checkGrpcHealth } from "./grpc-health.ts";
import type { MountPoint } from "./mounts.ts";
import { type LaunchSpec, startProcessGroup } from "./process-group.ts";

export interface HandlerOutcome {
  readonly succeeded: boolean;
  readonly message: string;
}

export interface HandlerContext {
  readonly container: Container;
  /** Where the container listens, unless a probe names a host. */
  readonly podIP: string;
  /** The container's own; its argv is replaced. */
  readonly launch: LaunchSpec;
  /** Maps mount paths in commands. */
  readonly rewrite: (text: string) => string;
  readonly ledger: GroupLedger;
  readonly mounts: readonly MountPoint[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the container has ended: its commands end with it. */
  readonly ended: AbortSignal;
  /** Puts a command under the container's limits. */
  readonly onSpawn?: ((pid: number) => void) | undefined;
}

const maxMessageBytes = 1_024;

/** Never rejects. A handler that names nothing succeeds. */
export async function runHandler(
  handler: Handler & Pick<Probe, "grpc">,
  context: HandlerContext,
  timeoutMs: number,
): Promise<HandlerOutcome> {
  try {
    if (handler.exec !== undefined) return await runExec(handler.exec.command ?? [], context, timeoutMs);
    if (handler.httpGet !== undefined) return await runHttpGet(handler.httpGet, context, timeoutMs);
    if (handler.tcpSocket !== undefined) return await runTcp(handler.tcpSocket, context, timeoutMs);
    if (handler.grpc !== undefined) return await checkGrpcHealth(handler.grpc, timeoutMs);
    if (handler.sleep !== undefined) {
      await context.clock.sleep(Math.min(timeoutMs, handler.sleep.seconds * 1000), context.ended);
    }
    return { succeeded: true, message: "" };
  } catch (error) {
    return { succeeded: false, message: describeError(error) };
  }
}

async function runExec(
  command: readonly string[],
  context: HandlerContext,
  timeoutMs: number,
): Promise<HandlerOutcome> {
  const launch = { ...context.launch, argv: command.map(context.rewrite) };
  const group = await startProcessGroup(launch, context.ledger, { onSpawn: context.onSpawn });
  const output: Buffer[] = [];
  for (const stream of [group.stdout, group.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      if (Buffer.concat(output).length < maxMessageBytes) output.push(chunk);
    });
  }
  const cancel = new AbortController();
  const timeout = context.clock.sleep(timeoutMs, AbortSignal.any([cancel.signal, context.ended])).then(
    () => "late" as const,
    () => "cancelled" as const,
  );
  const first = await Promise.race([group.exited, timeout]);
  cancel.abort(new Error("the command ended"));
  if (first === "late" || first === "cancelled") {
    group.signal("SIGKILL");
    const message = first === "late" ? `command timed out after ${timeoutMs} ms` : "the container ended";
    return { succeeded: false, message };
  }
  const text = Buffer.concat(output).toString("utf8", 0, maxMessageBytes).trim();
  return {
    succeeded: first.exitCode === 0,
    message: first.exitCode === 0 ? "" : `exit code ${first.exitCode}: ${text}`,
  };
}

function runHttpGet(action: HttpGetAction, context: HandlerContext, timeoutMs: number): Promise<HandlerOutcome> {
  const isHttps = action.scheme?.toUpperCase() === "HTTPS";
  const headers = Object.fromEntries((action.httpHeaders ?? []).map((header) => [header.name, header.value]));
  const options = {
    host: action.host ?? context.podIP,
    port: resolvePort(action.port, context.container),
    path: action.path || "/",
    headers: { "user-agent": "kube-probe/inferium", connection: "close", ...headers },
    agent: false as const,
    signal: AbortSignal.timeout(timeoutMs),
    // A probe asks whether the program answers, not who it is: Kubernetes does not verify here either.
    rejectUnauthorized: false,
  };
  return new Promise((resolve, reject) => {
    const call = (isHttps ? httpsRequest : httpRequest)(options, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      const succeeded = status >= 200 && status < 400;
      resolve({ succeeded, message: succeeded ? "" : `HTTP probe failed with statuscode: ${status}` });
    });
    call.on("error", reject);
    call.end();
  });
}

function runTcp(
  action: NonNullable<Handler["tcpSocket"]>,
  context: HandlerContext,
  timeoutMs: number,
): Promise<HandlerOutcome> {
  const address = { host: action.host ?? context.podIP, port: resolvePort(action.port, context.container) };
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve({ succeeded: true, message: "" });
    });
  });
}

export function resolvePort(port: number | string, container: Container): number {
  const named = container.ports?.find((one) => one.name === port)?.containerPort;
  const number = named ?? Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new InferiumError(
    "UnknownPort",
    `Container '${container.name}' has no port named '${port}': expected a number or a port's name.`,
  );
}
