import type { ScanReport } from '../core/finding.js'
import { type Explanation, explainMatch } from '../vuln/explain.js'
import { type AnalyzeCall, analyzeImage } from './analyze-image.js'
import { attachedVex, type JudgeDocuments, openJudge, shownSnapshot } from './judge.js'
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
  const judge = await openJudge(services, documents)
  try {
    const wantsVex = documents.vex?.includes(attachedVex)
    const { inventory, attachedVex: attached } = await analyzeImage(question, services, { ...call, wantsVex })
    const judgement = judge.judge(inventory, attached)
    return {
      image: inventory.image,
      snapshot: shownSnapshot(judge.advisories),
      evidence: inventory.evidence,
      complete: inventory.complete && judgement.complete,
      findings: judgement.findings,
      bytesFetched: call.cost.bytes - before,
      warnings: [...inventory.warnings, ...judgement.warnings],
    }
  } finally {
    judge.close()
  }
}

/** Why one vulnerability is, or is not, among what a scan finds. */
export interface ImageExplanation extends Explanation {
  readonly image: ScanReport['image']
  readonly snapshot: ScanReport['snapshot']
  /** Of the findings that a scan would show for it, with what VEX and the ignore file made of them. */
  readonly findings: ScanReport['findings']
  readonly complete: boolean
  readonly warnings: readonly string[]
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
  const judge = await openJudge(services, documents)
  try {
    const wantsVex = documents.vex?.includes(attachedVex)
    const { inventory, attachedVex: attached } = await analyzeImage(question, services, { ...call, wantsVex })
    const explanation = explainMatch(id, inventory, judge.advisories)
    const names = new Set([id, ...explanation.aliases])
    const judgement = judge.judge(inventory, attached)
    return {
      ...explanation,
      image: inventory.image,
      snapshot: shownSnapshot(judge.advisories),
      findings: judgement.findings.filter((finding) =>
        [finding.id, ...finding.aliases].some((name) => names.has(name)),
      ),
      complete: inventory.complete && judgement.complete,
      warnings: [...inventory.warnings, ...judgement.warnings],
    }
  } finally {
    judge.close()
  }
}
