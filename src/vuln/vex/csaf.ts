import { Fault } from '../../core/fault.js'
import { type JsonObject, objectOf, objectsOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import { type CsafProduct, readProductTree } from './csaf/product-tree.js'
import { textOf, textsOf, timeOf, type VexContent, type VexFormat, type VexStatement } from './vex-format.js'

/**
 * CSAF 2.0 (OASIS Standard, 18 November 2022): what `product_status` says of products, by the profile "VEX" (section 4.5) or
 * any other that has it. Flags are justifications, threats of the category `impact` impact statements, remediations actions.
 */
export const csaf: VexFormat = {
  name: 'csaf',
  matches: ({ document }) => /^2\.\d+$/.test(textOf(objectOf(document).csaf_version)),
  read,
}

/** Section 3.2.3.9. `last_affected` and `recommended` say nothing of a version that an image has. */
const statuses = [
  ['known_not_affected', 'not_affected'],
  ['known_affected', 'affected'],
  ['first_affected', 'affected'],
  ['fixed', 'fixed'],
  ['first_fixed', 'fixed'],
  ['under_investigation', 'under_investigation'],
] as const

type Status = VexStatement['status']
type Common = Pick<VexStatement, 'document' | 'author' | 'at'>

function read(document: JsonObject, name: string): VexContent {
  const head = objectOf(document.document)
  const { products, groups } = readProductTree(document.product_tree)
  const common: Common = {
    document: name,
    author: textOf(objectOf(head.publisher).name) || null,
    at: timeOf(objectOf(head.tracking).current_release_date),
  }
  const content = { statements: [] as VexStatement[], refused: [] as string[], lacking: [] as string[] }
  let left: number = limits.vexProducts
  for (const [index, entry] of objectsOf(document.vulnerabilities).entries()) {
    const vulnerability = namesOf(entry)
    if (vulnerability.length === 0) {
      content.refused.push(`vulnerability ${index + 1}: it has no id`)
      continue
    }
    const notes = notesOf(entry, groups)
    for (const [key, status] of statuses) {
      const ids = textsOf(objectOf(entry.product_status)[key])
      left -= ids.length
      if (left < 0) throw new Fault('too-large', `${name} names more than ${limits.vexProducts} products`)
      const known = ids.filter((id) => products.has(id))
      if (known.length < ids.length) {
        const count = ids.length - known.length
        content.refused.push(`${vulnerability[0]}: ${count} of its products are not in the product tree`)
      }
      const made = statementsOf(known, products, notes, { ...common, vulnerability, status })
      content.statements.push(...made)
      // Section 4.5, "VEX": an impact statement, as a flag or a threat, for each product that is known not to be affected.
      if (made.some((one) => status === 'not_affected' && one.justification === null && one.statement === null)) {
        content.lacking.push(`${vulnerability[0]}: not_affected without a flag or an impact statement`)
      }
    }
  }
  return content
}

function namesOf({ cve, ids }: JsonObject): string[] {
  return [...new Set([textOf(cve), ...objectsOf(ids).map(({ text }) => textOf(text))])].filter((text) => text !== '')
}

/** Products of one status, by what is said of them. */
function statementsOf(
  ids: readonly string[],
  products: ReadonlyMap<string, CsafProduct>,
  notes: Notes,
  common: Common & Pick<VexStatement, 'vulnerability' | 'status'>,
): VexStatement[] {
  const groups = new Map<string, { justification: string | null; statement: string | null; ids: string[] }>()
  for (const id of ids) {
    const note = noteOf(id, common.status, notes)
    const key = JSON.stringify([note.justification, note.statement])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { ...note, ids: [id] })
    else group.ids.push(id)
  }
  return [...groups.values()].map(({ justification, statement, ids }) => ({
    ...common,
    products: ids.flatMap((id) => products.get(id) ?? []),
    justification,
    statement,
  }))
}

/** What is said of products beside their status, by product id. */
interface Notes {
  readonly flags: ReadonlyMap<string, string>
  readonly impacts: ReadonlyMap<string, string>
  readonly actions: ReadonlyMap<string, string>
}

function notesOf(entry: JsonObject, groups: ReadonlyMap<string, readonly string[]>): Notes {
  const byProduct = (list: unknown, text: (one: JsonObject) => string) => {
    const map = new Map<string, string>()
    let left: number = limits.vexProducts
    for (const one of objectsOf(list)) {
      const said = text(one)
      if (said === '') continue
      const ids = [...textsOf(one.product_ids), ...textsOf(one.group_ids).flatMap((id) => groups.get(id) ?? [])]
      left -= ids.length
      if (left < 0) break
      // The first of several: publishers put the one that matters most there.
      for (const id of ids) if (!map.has(id)) map.set(id, said)
    }
    return map
  }
  return {
    flags: byProduct(entry.flags, ({ label }) => textOf(label)),
    impacts: byProduct(entry.threats, ({ category, details }) => (category === 'impact' ? textOf(details) : '')),
    actions: byProduct(entry.remediations, ({ details }) => textOf(details)),
  }
}

/** Section 3.2.3.5: the labels of flags are OpenVEX's words. */
function noteOf(id: string, status: Status, { flags, impacts, actions }: Notes) {
  const isAffected = status === 'affected'
  return {
    justification: status === 'not_affected' ? (flags.get(id) ?? null) : null,
    statement: (isAffected ? actions.get(id) : status === 'not_affected' ? impacts.get(id) : undefined) ?? null,
  }
}
