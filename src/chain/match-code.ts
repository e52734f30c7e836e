/**
 * Whether code on the chain is what an artifact's creation code deploys: equal but for immutable fields, which the compiler
 * leaves as 32 zero bytes behind a PUSH32 and the constructor fills in. Pure.
 */
import { getBytes } from "ethers";

/** The end of any code could be an arbitrary few bytes. */
const minCodeBytes = 256;
/** Long literals of the constructor. */
const maxDataBytes = 128;
const push1 = 0x60;
const push32 = 0x7f;

/** @param creation creation code with the deployed code inside it; @param deployed code on the chain, both 0x-hex */
export function matchesCode(creation: string, deployed: string): boolean {
  const whole = getBytes(creation);
  const code = getBytes(deployed);
  if (code.length < minCodeBytes) return false;
  // What is deployed is the end of the creation code, whole, but for what the constructor keeps behind it: a piece of it would be
  // something else.
  for (let behind = 0; behind <= maxDataBytes; behind++) {
    const start = whole.length - behind - code.length;
    if (start > 0 && matchesAt(whole, start, code)) return true;
  }
  return false;
}

function matchesAt(whole: Uint8Array, start: number, code: Uint8Array): boolean {
  for (let at = 0; at < code.length; ) {
    const opcode = code[at] ?? 0;
    if (opcode !== whole[start + at]) return false;
    const operand = opcode >= push1 && opcode <= push32 ? opcode - push1 + 1 : 0;
    const template = whole.subarray(start + at + 1, start + at + 1 + operand);
    const isImmutable = opcode === push32 && template.every((byte) => byte === 0);
    if (!isImmutable && !template.every((byte, index) => byte === code[at + 1 + index])) return false;
    at += 1 + operand;
  }
  return true;
}
