/** What the variables of a path stand for, by the name of the field that each fills. */
export type PathVariables = Readonly<Record<string, string>>

/**
 * Compiles a path of google.api.http: `/v1/repos/{repo_id=**}/digests/{digest=*}`. `*` is one step, `**` any number of them, none
 * included, as in grpc-gateway v2 `runtime/pattern.go`. There is one `**` at most, and what it stands for is an id: a slash too many
 * in it is another path.
 * @returns the variables of a path's steps; null where it does not match
 */
export function compilePathTemplate(template: string): (steps: readonly string[]) => PathVariables | null {
  const parts = template.slice(1).split('/')
  const deep = parts.findIndex((part) => part.endsWith('=**}'))
  const head = deep < 0 ? parts : parts.slice(0, deep)
  const tail = deep < 0 ? [] : parts.slice(deep + 1)
  return (steps) => {
    const isLong = deep < 0 ? steps.length === parts.length : steps.length >= parts.length - 1
    if (!isLong) return null
    const variables: Record<string, string> = {}
    const isMatch =
      matchAll(head, steps.slice(0, head.length), variables) &&
      matchAll(tail, steps.slice(steps.length - tail.length), variables)
    if (!isMatch) return null
    if (deep < 0) return variables
    const inside = steps.slice(head.length, steps.length - tail.length)
    const value = inside.join('/')
    if (inside.includes('') && value !== '' && value !== '/') return null
    return { ...variables, [nameOf(parts[deep] ?? '')]: value }
  }
}

function matchAll(parts: readonly string[], steps: readonly string[], variables: Record<string, string>): boolean {
  return parts.every((part, index) => {
    const step = steps[index] ?? ''
    if (!part.startsWith('{')) return part === step
    variables[nameOf(part)] = step
    return true
  })
}

function nameOf(part: string): string {
  return part.slice(1, part.indexOf('='))
}
