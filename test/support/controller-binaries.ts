/** The real controllers and scheduler beside a real API server that was started from binaries. They end with the test's process. */
import { dirname, join } from "node:path";
import { startGuarded } from "../../src/embedded/chain/guarded-child.ts";

/** @param kubeconfigPath of an administrator, in the folder of the API server's keys and certificates */
export function startControllerBinaries(assets: string, kubeconfigPath: string): { close(): Promise<void> } {
  const dir = dirname(kubeconfigPath);
  const shared = { kubeconfig: kubeconfigPath, "leader-elect": "false", "secure-port": "0" };
  const start = (binary: string, flags: Readonly<Record<string, string>>) =>
    startGuarded(
      join(assets, binary),
      Object.entries({ ...shared, ...flags }).map(([name, value]) => `--${name}=${value}`),
      { cwd: dir, env: { HOME: dir, PATH: "/usr/bin:/bin" } },
    );
  const controllers = start("kube-controller-manager", {
    "service-account-private-key-file": join(dir, "accounts.key"),
  });
  const scheduler = start("kube-scheduler", {});
  return {
    close: async () => {
      await controllers.stop();
      await scheduler.stop();
    },
  };
}
