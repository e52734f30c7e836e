/**
 * A terminal for `kubectl exec -t`: Node has no call for one, so the command runs under `script` of util-linux, which is on
 * most machines. Its size stays the default. Pure.
 */
export function buildTerminalArgv(argv: readonly string[]): readonly string[] {
  const command = argv.map(quoteForShell).join(" ");
  return ["script", "-q", "-e", "-f", "-c", `exec ${command}`, "/dev/null"];
}

function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
