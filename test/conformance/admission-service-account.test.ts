/** Admission of pods: the service account, its token volume, its pull secrets, and tolerations. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const aPod = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image: "registry.example.com/app:1" }], ...spec },
});
const anAccount = (name: string, fields: object = {}) => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name },
  ...fields,
});

area("admission: service account", (conformance) => {
  conformance("a pod runs as the default account and finds its token", async ({ api, path }) => {
    const { spec } = await api.post(await path("pods"), aPod("one")).expect(201);
    expect(spec).toMatchObject({ serviceAccountName: "default", serviceAccount: "default" });
    const [volume] = spec.volumes;
    expect(volume.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume.projected).toEqual({
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    });
    expect(spec.containers[0].volumeMounts).toEqual([{ name: volume.name, readOnly: true, mountPath }]);
  });

  conformance("init containers find it too, and who mounts something there keeps that", async ({ api, path }) => {
    const image = "registry.example.com/app:1";
    const own = [{ name: "own", mountPath }];
    const spec = {
      initContainers: [{ name: "init", image }],
      containers: [{ name: "main", image, volumeMounts: own }],
      volumes: [{ name: "own", emptyDir: {} }],
    };
    const pod = await api.post(await path("pods"), aPod("one", spec)).expect(201);
    expect(pod.spec.containers[0].volumeMounts).toEqual(own);
    expect(pod.spec.initContainers[0].volumeMounts).toMatchObject([{ mountPath, readOnly: true }]);
    expect(pod.spec.volumes).toHaveLength(2);
  });

  conformance("the pod's wish for a token goes before the account's", async ({ api, path }) => {
    await api
      .post(await path("serviceaccounts"), anAccount("quiet", { automountServiceAccountToken: false }))
      .expect(201);
    const pods = await path("pods");
    const quiet = await api.post(pods, aPod("quiet", { serviceAccountName: "quiet" })).expect(201);
    expect(quiet.spec.volumes).toBeUndefined();
    const wish = { serviceAccountName: "quiet", automountServiceAccountToken: true };
    expect((await api.post(pods, aPod("loud", wish)).expect(201)).spec.volumes).toHaveLength(1);
    const no = await api.post(pods, aPod("no", { automountServiceAccountToken: false })).expect(201);
    expect(no.spec.containers[0].volumeMounts).toBeUndefined();
  });

  conformance("an account that does not exist is refused", async ({ api, path, namespace }) => {
    const ns = await namespace();
    await api.post(await path("pods"), aPod("one", { serviceAccountName: "nobody" })).refuse(403, "Forbidden", {
      message: `pods "one" is forbidden: error looking up service account ${ns}/nobody: serviceaccount "nobody" not found`,
      details: { name: "one", kind: "pods" },
    });
  });

  conformance("pull secrets of the account are the pod's unless it names some", async ({ api, path }) => {
    const imagePullSecrets = [{ name: "registry" }];
    await api.post(await path("serviceaccounts"), anAccount("puller", { imagePullSecrets })).expect(201);
    const pods = await path("pods");
    const pod = await api.post(pods, aPod("one", { serviceAccountName: "puller" })).expect(201);
    expect(pod.spec.imagePullSecrets).toEqual(imagePullSecrets);
    const own = { serviceAccountName: "puller", imagePullSecrets: [{ name: "mine" }] };
    expect((await api.post(pods, aPod("two", own)).expect(201)).spec.imagePullSecrets).toEqual([{ name: "mine" }]);
  });

  conformance("a pod tolerates a node that goes away for five minutes", async ({ api, path }) => {
    const { spec } = await api.post(await path("pods"), aPod("one")).expect(201);
    const away = (key: string) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 });
    expect(spec.tolerations).toEqual([away("node.kubernetes.io/not-ready"), away("node.kubernetes.io/unreachable")]);
  });

  conformance("a toleration of its own for such a node stands alone", async ({ api, path }) => {
    const own = { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 };
    const pods = await path("pods");
    const pod = await api.post(pods, aPod("one", { tolerations: [own] })).expect(201);
    expect(pod.spec.tolerations).toHaveLength(2);
    expect(pod.spec.tolerations).toContainEqual(own);
    const all = [{ operator: "Exists" }];
    expect((await api.post(pods, aPod("two", { tolerations: all })).expect(201)).spec.tolerations).toEqual(all);
  });
});
