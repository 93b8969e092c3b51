// “No sign found”, “not computable” and “not checked” are different answers; this is where they are told apart.

import type { Coverage, Flag } from './types'

export interface Tally {
  hit: number
  clear: number
  notComputable: number
  total: number
}

export function tally(coverage: Coverage | null | undefined): Tally {
  const hit = coverage?.hit ?? 0
  const clear = coverage?.clear ?? 0
  const notComputable = Object.values(coverage?.not_computable ?? {}).reduce((sum, n) => sum + n, 0)
  return { hit, clear, notComputable, total: hit + clear + notComputable }
}

/** How many flags judged something, could judge nothing for want of data, or never ran. */
export function tallyFlags(flags: Flag[]): { judged: number; blocked: number; unchecked: number } {
  const counts = { judged: 0, blocked: 0, unchecked: 0 }
  for (const flag of flags) {
    const t = tally(flag.coverage)
    if (t.total === 0) counts.unchecked += 1
    else if (t.hit + t.clear === 0) counts.blocked += 1
    else counts.judged += 1
  }
  return counts
}
