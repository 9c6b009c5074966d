import type { Services } from './open.js'

/** Something that flows keep for as long as their services live, made when it is first asked for: one for each process, and test. */
export function perServices<Kept>(make: () => Kept): (services: Services) => Kept {
  const made = new WeakMap<Services, Kept>()
  return (services) => {
    const known = made.get(services)
    if (known !== undefined) return known
    const kept = make()
    made.set(services, kept)
    return kept
  }
}
