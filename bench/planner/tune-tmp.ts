import { readHistories, spread, type TagMoves } from './histories.js'
import { lookFixed, lookPlanned, scores } from './simulate.js'
import { seededRandom } from '../../src/core/random.js'
const { tags, bases, oracle } = readHistories('/work/shared')
const H=3_600_000
const half = Date.UTC(2023,8,17)
const lib = { fromMs: Date.UTC(2023,7,10), toMs: half }
const orc = { fromMs: Date.UTC(2023,5,1), toMs: Date.UTC(2024,0,1) }
for (const min of [5, 60]) for (const [name, data, span, sp] of [['rec', tags, lib, 0], ['1h', tags, lib, H], ['any', tags, lib, 1e12], ['base', bases, lib, H], ['orc', oracle, orc, 24*H]] as [string, TagMoves[], typeof lib, number][]) {
  const fixed = scores([span]); const ways = [[false,false],[false,true],[true,true]] as const
  const pl = ways.map(()=>scores([span]))
  for (let round=0; round<(name==='orc'||name==='base'?6:2); round++) {
    const cut = spread(data, sp, seededRandom(round+50)).map(x=>({...x, name: x.name+'#'+round, moves: x.moves.filter(a=>a<span.toMs)})).filter(x=>x.firstAt<span.toMs)
    lookFixed(cut, fixed, () => min*60_000)
    ways.forEach(([hasEarlyLooks, hasGroups], i) => lookPlanned(cut, pl[i]!, { everyMs: min*60_000, hasEarlyLooks, hasGroups }))
  }
  const f=fixed[0]!
  console.log(min, name, f.moves, pl.map(([s])=>`${((f.delayMs/f.moves)/(s!.delayMs/s!.moves)).toFixed(2)} (${(s!.looks/f.looks).toFixed(3)}) m${s!.missed-f.missed}`).join('  '))
}
