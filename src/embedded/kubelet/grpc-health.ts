/**
 * One call of the gRPC health protocol (`grpc.health.v1.Health/Check`) for probes, over HTTP/2 without TLS, as the kubelet
 * of Kubernetes makes it. The two messages have one field each, so they are read and written by hand. Effects: one
 * connection to loopback, closed within the time-out.
 */
import { connect, constants } from "node:http2";
import { describeError } from "../../base/errors.ts";

export interface HealthOutcome {
  readonly succeeded: boolean;
  readonly message: string;
}

const servingStatuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const serving = 1;
/** Enough for a message of one enum; more is not a health answer. */
const maxAnswerBytes = 1_024;

export function checkGrpcHealth(
  target: { readonly port: number; readonly service?: string },
  timeoutMs: number,
): Promise<HealthOutcome> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${target.port}`);
    const finish = (outcome: HealthOutcome) => {
      clearTimeout(timer);
      session.destroy();
      resolve(outcome);
    };
    const fail = (message: string) => finish({ succeeded: false, message });
    const timer = setTimeout(() => fail(`health rpc did not complete within ${timeoutMs} ms`), timeoutMs);
    const onError = (error: unknown) => fail(`error: health rpc probe failed: ${describeError(error)}`);
    session.on("error", onError);
    const call = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      te: "trailers",
      "user-agent": "kube-probe/inferium",
    });
    const answer: Buffer[] = [];
    let status: string | undefined;
    const takeStatus = (headers: Readonly<Record<string, unknown>>) => {
      status ??= typeof headers["grpc-status"] === "string" ? headers["grpc-status"] : undefined;
    };
    call.on("error", onError);
    call.on("response", takeStatus);
    call.on("trailers", takeStatus);
    call.on("data", (chunk: Buffer) => {
      if (Buffer.concat(answer).length < maxAnswerBytes) answer.push(chunk);
    });
    call.on("end", () => finish(readAnswer(status, Buffer.concat(answer))));
    call.end(buildRequest(target.service ?? ""));
  });
}

/** A frame: one byte "not compressed", four bytes of length, the message; field 1 is the service's name. */
function buildRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const field = name.length === 0 ? [] : [Buffer.from([0x0a]), encodeVarint(name.length), name];
  const message = Buffer.concat(field);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function readAnswer(status: string | undefined, body: Buffer): HealthOutcome {
  if (status !== "0") {
    return { succeeded: false, message: `error: health rpc probe failed: status ${status ?? "missing"}` };
  }
  // An absent field is 0, UNKNOWN.
  const value = body.length >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0;
  if (value === serving) return { succeeded: true, message: "" };
  const name = servingStatuses[value] ?? String(value);
  return { succeeded: false, message: `service unhealthy (responded with "${name}")` };
}
