/**
 * The pods of an embedded run: the same image, arguments and environment as on a cluster. Pure builders; the process
 * kubelet runs them as local processes.
 */
import { labels } from "../../api/v1alpha1/labels.ts";
import type { Container, Pod, Volume } from "../../kube/pod-types.ts";

export const systemNamespace = "inferium-system";
/** Label on everything that a run creates, so that it can be removed again. */
export const runLabel = { "inferium.io/run": "up" } as const;
/** The image name that the process kubelet maps to this installation. */
export const processImage = "inferium.io/inferium:process";
/** The scheduler that binds these pods, so that on somebody's cluster its own scheduler leaves them alone. */
export const processScheduler = "inferium-process-scheduler";
export const processTaint = { key: labels.processKubelet, value: "true", effect: "NoSchedule" } as const;

export interface RolePod {
  readonly name: string;
  readonly component: string;
  readonly node: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly serviceAccount: "inferium-operator" | "inferium-agent" | "inferium-worker" | "inferium-launcher";
  /** Port of /readyz on loopback. */
  readonly healthPort?: number;
}

export interface Mount {
  readonly name: string;
  readonly path: string;
  readonly source: { readonly secret: string } | { readonly configMap: string } | { readonly empty: true };
}

export function buildRolePod(role: RolePod): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: role.name,
      namespace: systemNamespace,
      labels: {
        "app.kubernetes.io/name": "inferium",
        "app.kubernetes.io/component": role.component,
        "app.kubernetes.io/instance": role.name,
        ...runLabel,
      },
    },
    spec: {
      restartPolicy: "Always",
      schedulerName: processScheduler,
      nodeSelector: { "kubernetes.io/hostname": role.node },
      // A server without its controllers never lifts the not-ready taint that it puts on new nodes.
      tolerations: [{ operator: "Exists" }],
      serviceAccountName: role.serviceAccount,
      // Workers and validators get no Kubernetes credential at all.
      automountServiceAccountToken: role.serviceAccount !== "inferium-worker",
      terminationGracePeriodSeconds: 10,
      // A local process has no use for these; a cluster that demands the restricted Pod Security Standard does.
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [buildContainer(role)],
      volumes: role.mounts.map(buildVolume),
    },
  };
}

function buildContainer(role: RolePod): Container {
  return {
    name: role.component,
    image: processImage,
    imagePullPolicy: "Never",
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    args: [...role.args],
    env: [
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ...Object.entries(role.env).map(([name, value]) => ({ name, value })),
    ],
    volumeMounts: role.mounts.map(({ name, path }) => ({ name, mountPath: path })),
    ...(role.healthPort === undefined
      ? {}
      : {
          readinessProbe: {
            httpGet: { path: "/readyz", port: role.healthPort },
            periodSeconds: 1,
            failureThreshold: 3,
          },
        }),
  };
}

function buildVolume({ name, source }: Mount): Volume {
  if ("secret" in source) return { name, secret: { secretName: source.secret } };
  if ("configMap" in source) return { name, configMap: { name: source.configMap } };
  return { name, emptyDir: {} };
}
