import { Fault } from '../../../core/fault.js'
import { type JsonObject, objectOf, objectsOf } from '../../../core/json-object.js'
import { limits } from '../../../core/limits.js'
import { componentOf, textOf, textsOf, type VexComponent, type VexProduct } from '../vex-format.js'

/** A product with the CPE that names it; null for none. */
export type CsafProduct = VexProduct & { readonly cpe: string | null }

/** Every product of a document by its id, and every group of them. */
export interface ProductTree {
  readonly products: ReadonlyMap<string, CsafProduct>
  readonly groups: ReadonlyMap<string, readonly string[]>
}

/** Relationships on relationships: a package of a module of a product; one is usual. */
const maxRelationDepth = 8

/**
 * Reads `product_tree` (CSAF 2.0, section 3.2.2): branches to any depth, full product names and relationships. A product that is
 * a component of another is that component: of an image, or of a platform such as a release of a distribution.
 * @throws Fault `too-large`
 */
export function readProductTree(tree: unknown): ProductTree {
  const { branches, full_product_names, relationships, product_groups } = objectOf(tree)
  const products = new Map<string, CsafProduct>()
  const add = (product: unknown) => {
    const id = textOf(objectOf(product).product_id)
    if (id === '') return
    products.set(id, productOf(objectOf(product)))
    if (products.size > limits.vexProducts) {
      throw new Fault('too-large', `the product tree has more than ${limits.vexProducts} products`)
    }
  }
  for (const product of objectsOf(full_product_names)) add(product)
  // An explicit stack, so that the depth costs nothing.
  const stack = [...objectsOf(branches)]
  for (let branch = stack.pop(); branch !== undefined; branch = stack.pop()) {
    add(branch.product)
    for (const inner of objectsOf(branch.branches)) stack.push(inner)
  }
  addRelated(products, objectsOf(relationships))
  const groups = objectsOf(product_groups).map((group) => [textOf(group.group_id), textsOf(group.product_ids)] as const)
  return { products, groups: new Map(groups) }
}

/** Those whose parts are there first, then those that need them. */
function addRelated(products: Map<string, CsafProduct>, relationships: readonly JsonObject[]): void {
  let open = relationships
  for (let depth = 0; depth < maxRelationDepth && open.length > 0; depth++) {
    const waiting: JsonObject[] = []
    for (const relationship of open) {
      const component = products.get(textOf(relationship.product_reference))
      const whole = products.get(textOf(relationship.relates_to_product_reference))
      const id = textOf(objectOf(relationship.full_product_name).product_id)
      if (id === '' || products.size >= limits.vexProducts) continue
      if (component === undefined || whole === undefined) waiting.push(relationship)
      else products.set(id, related(component, whole))
    }
    if (waiting.length === open.length) return
    open = waiting
  }
}

/** `component` as a part of `whole`: something with a name of its own, or a platform. */
function related(component: CsafProduct, whole: CsafProduct): CsafProduct {
  if (isNamed(whole)) {
    const parts = component.subcomponents.length > 0 ? component.subcomponents : [component]
    return { ...whole, subcomponents: parts.map(({ purls, digests }) => ({ purls, digests })) }
  }
  return { ...component, platform: whole.platform ?? { cpe: whole.cpe } }
}

function isNamed({ purls, digests }: VexComponent): boolean {
  return purls.length + digests.length > 0
}

/** Section 3.1.3.3, "product_identification_helper". */
function productOf({ product_identification_helper }: JsonObject): CsafProduct {
  const { purl, purls, cpe, hashes } = objectOf(product_identification_helper)
  const digests = objectsOf(hashes)
    .flatMap(({ file_hashes }) => objectsOf(file_hashes))
    .map(({ algorithm, value }) => `${textOf(algorithm)}:${textOf(value)}`)
  const names = componentOf([textOf(purl), ...textsOf(purls), ...digests])
  return { ...names, subcomponents: [], platform: null, cpe: textOf(cpe) || null }
}
