/** ffjavascript's arithmetic of BN254 on the calling thread, and its code for others. Made once in a process: it takes most of a second. */
import { buildBn128, type Curve } from "ffjavascript";

export interface CurveCode {
  /** For single points. */
  readonly curve: Curve;
  /** The same arithmetic, for threads. */
  readonly module: WebAssembly.Module;
}

let made: Promise<CurveCode> | undefined;

export function openCurveCode(): Promise<CurveCode> {
  made ??= make();
  return made;
}

async function make(): Promise<CurveCode> {
  const curve = await buildBn128(true);
  return { curve, module: await WebAssembly.compile(curve.tm.code) };
}
