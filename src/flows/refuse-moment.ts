import { Fault, oneLine } from '../core/fault.js'

/**
 * Refuses `REF@{…}` where only what a tag is now makes sense.
 * @throws Fault `invalid-reference`
 */
export function refuseMoment(text: string): void {
  if (!/@\{[^}]*\}$/.test(text)) return
  throw new Fault(
    'invalid-reference',
    `a moment of history cannot be checked or watched: '${oneLine(text.slice(0, 120))}'`,
    {
      fix: 'Leave out the part from the @ on.',
    },
  )
}
