import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HitCounts, stepPath, stopsOf, wanted, type Counted } from './preview'
import type { FlagParameter, FlagPreview } from './types'

const parameter = (min: number, now: number, max: number, unit: string): FlagParameter =>
  ({ name: 'p', default: now, min, max, unit, description: null, preview: 'tip > value' })

describe('a slider', () => {
  const cases = [
    parameter(1, 3.5, 20, 'z'), parameter(0, 0.005, 0.2, 'share'), parameter(0.0001, 0.01, 0.1, 'p'), parameter(30, 180, 1095, 'days'),
    parameter(0, 10_000, 1_000_000, 'BRL'), parameter(1000, 100_000, 100_000_000, 'BRL'), parameter(-1, -1, 30, 'days'), parameter(3, 5, 1000, 'tenders'),
  ]
  it.each(cases)('goes from the least to the most by way of the value in use: $min $default $max $unit', (p) => {
    const stops = stopsOf(p)
    expect(stops[0]).toBe(p.min)
    expect(stops.at(-1)).toBe(p.max)
    expect(stops).toContain(p.default)
    expect(stops).toEqual([...new Set(stops)].sort((a, b) => a - b))
    expect(stops.length).toBeGreaterThan(30)
    expect(stops.length).toBeLessThan(260)
  })
  it('stops at round values', () => {
    expect(stopsOf(parameter(1, 3.5, 20, 'z')).slice(0, 4)).toEqual([1, 1.1, 1.2, 1.3])
    expect(stopsOf(parameter(0, 0.005, 0.2, 'share')).slice(0, 4)).toEqual([0, 0.001, 0.002, 0.003])
    expect(stopsOf(parameter(3, 5, 1000, 'tenders')).slice(0, 4)).toEqual([3, 4, 5, 6])
    expect(stopsOf(parameter(2, 2, 50, 'waivers')).every(Number.isInteger)).toBe(true)
  })
  it('asks for no more values than the API takes, and for the one under the thumb', () => {
    const stops = stopsOf(parameter(1, 3.5, 20, 'z'))
    const home = stops.indexOf(3.5)
    for (const at of [0, 1, home, 100, stops.length - 1]) {
      const asked = wanted(stops, at, home)
      expect(asked.length).toBeLessThanOrEqual(50)
      expect(asked).toEqual(expect.arrayContaining([1, 3.5, 20, stops[at], stops[Math.max(0, at - 1)]]))
    }
  })
  it('draws only what is known, in steps', () => {
    expect(stepPath([1, 2, 3, 4, 5], new Map([[1, 10], [3, 5], [5, 0]]), 10)).toBe('M0 0H0.5V0.5H1V1')
    expect(stepPath([1, 2], new Map(), 0)).toBe('')
  })
})

describe('counts', () => {
  let asked: { values: number[]; signal: AbortSignal; answer: (hit: number, current?: number) => void; fail: (error: Error) => void }[]
  let told: Counted[]
  let counts: HitCounts
  beforeEach(() => {
    vi.useFakeTimers()
    asked = []
    told = []
    counts = new HitCounts(
      (values, signal) => new Promise((resolve, fail) => {
        const answer = (hit: number, current = 15) => resolve({
          version: 1, current: { hit: current, clear: 0, not_computable: {} }, parameters: [{ at: values.map((value) => ({ value, hit })) }],
        } as unknown as FlagPreview)
        asked.push({ values, signal, answer, fail })
      }),
      (counted) => told.push(counted),
    )
  })
  afterEach(() => vi.useRealTimers())
  const rest = () => vi.advanceTimersByTimeAsync(80)

  it('are asked for once when the thumb rests, and not again', async () => {
    counts.want([3, 4])
    counts.want([4, 5])
    await rest()
    expect(asked.map((a) => a.values)).toEqual([[4, 5]])
    asked[0]?.answer(7)
    await rest()
    expect(told.at(-1)).toMatchObject({ today: 15, error: null })
    expect(told.at(-1)?.known.get(5)).toBe(7)
    counts.want([4, 5])
    await rest()
    expect(asked).toHaveLength(1)
  })
  it('that come too late are dropped', async () => {
    counts.want([3])
    await rest()
    counts.want([4])
    expect(asked[0]?.signal.aborted).toBe(true)
    await rest()
    asked[1]?.answer(2)
    asked[0]?.answer(99)
    await rest()
    expect(told).toHaveLength(1)
    expect(told[0]?.known).toEqual(new Map([[4, 2]]))
  })
  it('of an older judgement are forgotten', async () => {
    counts.want([3])
    await rest()
    asked[0]?.answer(9)
    await rest()
    counts.want([4])
    await rest()
    asked[1]?.answer(8, 16)
    await rest()
    expect(told.at(-1)).toMatchObject({ today: 16 })
    expect(told.at(-1)?.known).toEqual(new Map([[4, 8]]))
  })
  it('that cannot be had are said to be so', async () => {
    counts.want([3])
    await rest()
    const broken = new Error('too busy')
    asked[0]?.fail(broken)
    await rest()
    expect(told.at(-1)?.error).toBe(broken)
  })
})
