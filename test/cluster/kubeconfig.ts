/** A kubeconfig with one context, as JSON, which is YAML too. `cluster` is a kubeconfig's cluster entry: server and its certificate. */
export function composeKubeconfig(cluster: object, token: string, namespace = 'default'): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
    'current-context': 'test',
  });
}
