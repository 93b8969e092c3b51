import { describe, expect, it } from 'vitest'
import { tally, tallyFlags } from './coverage'
import { boards } from './sources'
import type { Flag, Source } from './types'

const flag = (coverage: Flag['coverage']) => ({ coverage }) as Flag

describe('coverage', () => {
  it('keeps “clear”, “not computable” and “not checked” apart', () => {
    const flags = [
      flag({ hit: 0, clear: 5, not_computable: {} }),
      flag({ hit: 0, clear: 0, not_computable: { 'items.unit': 3 } }),
      flag({ hit: 0, clear: 0, not_computable: {} }),
      flag(null),
    ]
    expect(tallyFlags(flags)).toEqual({ judged: 1, blocked: 1, unchecked: 2 })
  })
  it('adds the fields that were missing', () => {
    expect(tally({ hit: 1, clear: 2, not_computable: { a: 3, b: 4 } })).toEqual({ hit: 1, clear: 2, notComputable: 7, total: 10 })
  })
})

describe('the board of sources', () => {
  const row = (source: string, rows: number, from: string | null, to: string | null): Source => ({
    source, table: 'contracts', rows, period: { from, to }, files: 1, last_ingest_at: null, quarantined: { bad_date: 2 },
    undated: 0, fields: {}, duplicates: { unchanged: 0, told_apart: null }, gaps: { months: [], total: 0 },
    errors: { incomplete_files: 0, files: [], quarantined_rows: 2 }, unknown: null, not_computable: {},
  })
  it('gathers tables by source and spans their periods', () => {
    const [first, second] = boards([row('a', 1, '2024-02-01', '2024-03-01'), row('b', 9, null, null), row('a', 2, '2023-01-01', null)])
    expect(first).toMatchObject({ source: 'b', rows: 9, from: null, to: null })
    expect(second).toMatchObject({ source: 'a', rows: 3, quarantined: 4, from: '2023-01-01', to: '2024-03-01' })
  })
})
