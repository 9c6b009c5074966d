import type { DoctorReport, DoctorStatus } from '../../client/src/index.js'
import { noCost } from '../core/cost.js'
import { diagnose, parseTarget } from '../flows/doctor.js'
import { tellCost } from './call.js'
import { type CommandContext, type CommonOptions, withServices } from './context.js'
import { print } from './output.js'
import { exitCodes } from './report.js'
import { formatTable } from './table.js'
import { type Colors, startProgress } from './terminal.js'

/** Runs `tidemark doctor`. */
export async function runDoctor(
  text: string,
  options: Omit<CommonOptions, 'server'>,
  context: CommandContext,
): Promise<void> {
  const target = parseTarget(text)
  const progress = startProgress(context.terminal, Date.now)
  const cost = noCost()
  try {
    const report = await withServices(context, options, (services) =>
      diagnose(target, services, {
        ...{ cost, signal: context.signal },
        onStep: (name) => progress.update(`looking at ${name}`),
      }),
    )
    progress.end()
    print(report, context, options, doctorTable)
    tellCost(cost, context, options.cost === true)
    if (report.steps.some(({ status }) => status === 'failed')) context.setExitCode(exitCodes.trouble)
  } finally {
    progress.end()
  }
}

function doctorTable({ steps }: DoctorReport, colors: Colors): string {
  const paint: Readonly<Record<DoctorStatus, (text: string) => string>> = {
    ok: colors.green,
    warning: colors.yellow,
    failed: colors.red,
    skipped: colors.dim,
  }
  return formatTable(
    ['STATUS', 'STEP', 'TOOK', 'FOUND'],
    steps.map(({ status, step, durationMs, message, fix }) => [
      paint[status](status),
      step,
      status === 'skipped' ? '-' : `${durationMs} ms`,
      fix === null ? message : `${message.replace(/\.$/, '')}. ${fix}`,
    ]),
    colors,
  )
}
