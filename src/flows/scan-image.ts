import type { Finding, ScanReport } from '../core/finding.js'
import type { Inventory } from '../core/inventory.js'
import { type Explanation, explainMatch } from '../vuln/explain.js'
import { attachedVex, type JudgeDocuments, shownSnapshot } from './advisory-data.js'
import { type AnalyzeCall, analyzeImage } from './analyze-image.js'
import { type Judge, openJudge } from './judge.js'
import type { Services } from './open.js'
import type { ImageQuestion } from './open-image.js'

/**
 * Says what is known to affect an image, by the advisory data as it is now. The data is opened first: without it nothing is asked
 * of a registry.
 * @throws Fault as `openJudge` and `analyzeImage`
 */
export async function scanImage(
  question: ImageQuestion,
  services: Services,
  call: AnalyzeCall,
  documents: JudgeDocuments = {},
): Promise<ScanReport> {
  const before = call.cost.bytes
  return await judgeImage(question, services, call, documents, ({ inventory, findings, head }) => ({
    ...head,
    evidence: inventory.evidence,
    findings,
    bytesFetched: call.cost.bytes - before,
  }))
}

/** Why one vulnerability is, or is not, among what a scan finds. */
export interface ImageExplanation extends Explanation, DocumentHead {
  /** Of the findings that a scan would show for it, with what VEX and the ignore file made of them. */
  readonly findings: ScanReport['findings']
}

/**
 * Explains one vulnerability, by any of its names, for one image.
 * @throws Fault as {@link scanImage}
 */
export async function explainImage(
  id: string,
  question: ImageQuestion,
  services: Services,
  call: AnalyzeCall,
  documents: JudgeDocuments = {},
): Promise<ImageExplanation> {
  return await judgeImage(question, services, call, documents, ({ judge, inventory, findings, head }) => {
    const explanation = explainMatch(id, inventory, judge.advisories)
    const names = new Set([id, ...explanation.aliases])
    const isNamed = (finding: Finding) => [finding.id, ...finding.aliases].some((name) => names.has(name))
    return { ...explanation, ...head, findings: findings.filter(isNamed) }
  })
}

type DocumentHead = Pick<ScanReport, 'image' | 'snapshot' | 'complete' | 'warnings'>

interface JudgedImage {
  readonly judge: Judge
  readonly inventory: Inventory
  readonly findings: readonly Finding[]
  /** What every document about it says. */
  readonly head: DocumentHead
}

/** What `tell` makes of an image that was analyzed and judged, while the advisory data is open. */
async function judgeImage<Document>(
  question: ImageQuestion,
  services: Services,
  call: AnalyzeCall,
  documents: JudgeDocuments,
  tell: (image: JudgedImage) => Document,
): Promise<Document> {
  const judge = await openJudge(services, documents)
  try {
    const wantsVex = documents.vex?.includes(attachedVex)
    const { inventory, attachedVex: attached } = await analyzeImage(question, services, { ...call, wantsVex })
    const { findings, complete, warnings } = judge.judge(inventory, attached)
    const head = {
      image: inventory.image,
      snapshot: shownSnapshot(judge.advisories),
      complete: inventory.complete && complete,
      warnings: [...inventory.warnings, ...warnings],
    }
    return tell({ judge, inventory, findings, head })
  } finally {
    judge.close()
  }
}
