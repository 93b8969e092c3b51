import { describe, expect, it } from 'vitest'
import { niceTicks, shapePeers } from './peers'

describe('a peer group', () => {
  it('is drawn dot by dot when small, each at its own place', () => {
    const shape = shapePeers(['9.8000', '10.0000', '10.0000', '11.0000'], '12.0000')
    expect(shape?.log).toBe(false)
    expect(shape?.dots.map((d) => d.x)).toEqual([9.8, 10, 10, 11])
    expect(shape?.dots[2]?.level).toBe(2)
    expect(shape?.bars).toEqual([])
  })
  it('is drawn in bars when large, and no value is lost', () => {
    const values = Array.from({ length: 500 }, (_, i) => `${10 + (i % 17)}.0000`)
    const shape = shapePeers(values, '50.0000')
    expect(shape?.bars.reduce((sum, b) => sum + b.count, 0)).toBe(500)
    expect(shape?.dots).toEqual([])
  })
  it('takes a logarithmic axis when the spread is large', () => {
    const shape = shapePeers(['1.0000', '2.0000', '3.0000'], '900.0000')
    expect(shape?.log).toBe(true)
    expect(shape?.ticks.map((t) => t.value)).toContain(100)
    expect(shape?.dots[0]?.x).toBe(0)
  })
  it('survives one value, equal values, zeros and nothing', () => {
    expect(shapePeers(['5.0000'], null)?.dots).toHaveLength(1)
    expect(shapePeers(['0.0000', '0.0000'], '0.0000')?.highest).toBe(2)
    expect(shapePeers(['0.0000', '1.0000'], '900.0000')?.log).toBe(false)
    expect(shapePeers([], '1.0000')).toBeNull()
  })
  it('has few, round ticks', () => {
    expect(niceTicks(0, 52, false)).toEqual([0, 20, 40])
    expect(niceTicks(0.9, 60, true)).toEqual([1, 2, 5, 10, 20, 50])
  })
})
