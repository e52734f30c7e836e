/**
 * How much slower than a machine of its own this process runs now. A simulation's deadlines are seconds, so that what is lost to a
 * fault is found soon; on a machine that is busy with other things they would fail honest work instead of showing anything.
 */
const spinMs = 30;
const most = 8;

/** A whole number, 1 where the processor is free. */
export function measureSlowness(): number {
  const began = performance.now();
  const start = process.cpuUsage();
  let usedMs = 0;
  while (usedMs < spinMs) {
    const { user, system } = process.cpuUsage(start);
    usedMs = (user + system) / 1_000;
  }
  return Math.min(most, Math.max(1, Math.round((performance.now() - began) / usedMs)));
}
