// The catalogue as a table: grouped by kind of flag, each group in the order asked for.

import { tally } from './coverage'
import type { Flag } from './types'

export type Order = 'code' | 'hit' | 'judged' | 'precision'

export const ORDERS: [Order, string][] = [
  ['code', 'código'],
  ['hit', 'mais casos com sinal'],
  ['judged', 'mais casos julgados'],
  ['precision', 'maior precisão'],
]

/** Context comes last: it says nothing by itself. */
const KINDS = ['rule', 'signal', 'context']

/** How many cases a flag could judge: with and without sign. Null when it never ran. */
export function judged(flag: Flag): number | null {
  const t = tally(flag.coverage)
  return t.total === 0 ? null : t.hit + t.clear
}

const weight: Record<Order, (flag: Flag) => number> = {
  code: () => 0,
  hit: (flag) => flag.coverage?.hit ?? -1,
  judged: (flag) => judged(flag) ?? -1,
  precision: (flag) => flag.precision?.precision ?? -1,
}

/** The flags of each kind that has some, in the order asked for; those with nothing to order by come last, equals by code. */
export function grouped(flags: Flag[], order: Order): { kind: string; flags: Flag[] }[] {
  const kinds = [...new Set([...KINDS, ...flags.map((flag) => flag.kind)])].filter((kind) => flags.some((flag) => flag.kind === kind))
  const sorted = [...flags].sort((a, b) => weight[order](b) - weight[order](a) || a.code.localeCompare(b.code))
  return kinds.map((kind) => ({ kind, flags: sorted.filter((flag) => flag.kind === kind) }))
}
