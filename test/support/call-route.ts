import { type CallName, routes } from '../../client/src/index.js'

/** Makes a call of the native API as a stranger's program would. */
export async function callRoute(
  server: string,
  name: CallName,
  input: object,
  authorization: string | null,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { method, path } = routes[name]
  const isPost = method === 'POST'
  const url = new URL(path, server)
  const append = (key: string, value: unknown) => url.searchParams.append(key, String(value))
  for (const [key, value] of isPost ? [] : Object.entries(input)) {
    for (const item of Array.isArray(value) ? value : [value]) append(key, item)
  }
  const response = await fetch(url, {
    method,
    headers: { ...(authorization && { authorization }), ...(isPost && { 'content-type': 'application/json' }) },
    ...(isPost && { body: JSON.stringify(input) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
