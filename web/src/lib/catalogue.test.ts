import { describe, expect, it } from 'vitest'
import { grouped, judged, type Order } from './catalogue'
import type { Flag } from './types'

const flag = (code: string, kind: string, hit: number | null, precision: number | null = null) =>
  ({
    code, kind,
    coverage: hit === null ? null : { hit, clear: 10, not_computable: { peers: 5 } },
    precision: precision === null ? null : { precision, n: 10 },
  }) as unknown as Flag

describe('the catalogue', () => {
  const flags = [flag('BR26', 'context', 99), flag('BR03', 'signal', 0, 0.2), flag('BR05', 'signal', 7, 0.9), flag('BR04', 'signal', null), flag('BR01', 'rule', 1)]
  const codes = (order: Order) => grouped(flags, order).map((group) => group.flags.map((f) => f.code))

  it('is grouped by kind, law first and context last', () => {
    expect(grouped(flags, 'code').map((group) => group.kind)).toEqual(['rule', 'signal', 'context'])
    expect(codes('code')).toEqual([['BR01'], ['BR03', 'BR04', 'BR05'], ['BR26']])
  })
  it('puts what was never judged last, also behind those without a hit', () => {
    expect(codes('hit')[1]).toEqual(['BR05', 'BR03', 'BR04'])
    expect(codes('precision')[1]).toEqual(['BR05', 'BR03', 'BR04'])
  })
  it('counts as judged only what could be computed, and nothing where it never ran', () => {
    expect(flags.map(judged)).toEqual([109, 10, 17, null, 11])
  })
})
