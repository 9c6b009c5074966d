import { setFlagsFromString } from 'node:v8'

/**
 * For a process that builds a snapshot of advisory data and ends: V8 inlines nothing, and so compiles less. Many functions run for a
 * second each, on records of dozens of shapes, and what is optimized for one of them is thrown away by the next: a third of
 * all CPU time is the compiler's otherwise. For a process that lives on it would be wrong.
 */
export function compileLess(): void {
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=0')
}
