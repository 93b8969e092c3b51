// How many hits a flag would have at other thresholds: where the slider stops, what is asked, and the curve.

import type { FlagParameter, FlagPreview } from './types'

/** Both together are asked at once, and the API takes up to 50. */
const OVERVIEW = 31
const AROUND = 8
/** A range this many times wider than its start is walked in equal shares and not in equal steps. */
const SPAN_FOR_LOG = 200
const STOPS_MAX = 250
const WHOLE_UNITS = new Set(
  'BRL HHI amounts bidders bodies business_days contracts days items lots months registrations rows suppliers tenders waivers weeks words'.split(' '),
)

const clean = (n: number) => Number(n.toPrecision(10))

/** The least of 1, 2 and 5 times a power of ten that is not below. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return clean(([1, 2, 5, 10].find((s) => s * power >= least * (1 - 1e-9)) ?? 10) * power)
}

function evenStops(min: number, max: number, whole: boolean): number[] {
  const step = Math.max(niceStep((max - min) / STOPS_MAX), whole ? 1 : 0)
  const stops: number[] = []
  for (let k = Math.ceil(min / step); k * step <= max; k += 1) stops.push(clean(k * step))
  return stops
}

function growingStops(min: number, max: number, whole: boolean): number[] {
  const stops: number[] = []
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power += 1) {
    for (let m = 10; m < 100; m += m < 20 ? 1 : m < 50 ? 2 : 5) stops.push(clean(m * 10 ** (power - 1)))
  }
  return stops.filter((n) => n > min && n < max && (!whole || Number.isInteger(n)))
}

/** The values at which a parameter's slider stops, least first: its ends, the value in use, and round ones between. */
export function stopsOf(parameter: FlagParameter): number[] {
  const [min, max, now] = [parameter.min, parameter.max, parameter.default].map(Number) as [number, number, number]
  const whole = WHOLE_UNITS.has(parameter.unit ?? '')
  const start = min > 0 ? min : max / 10_000
  const wide = min >= 0 && (min > 0 ? max / min : max) >= SPAN_FOR_LOG
  const between = wide ? growingStops(start, max, whole) : evenStops(min, max, whole)
  return [...new Set([min, now, ...between, max])].sort((a, b) => a - b)
}

/** The values worth knowing with the thumb at a stop: it and its neighbours, and some over the whole slider with the one in use. */
export function wanted(stops: number[], at: number, home: number): number[] {
  const last = stops.length - 1
  const places = new Set([home])
  for (let n = 0; n < OVERVIEW; n += 1) places.add(Math.round((n * last) / (OVERVIEW - 1)))
  for (let near = Math.max(0, at - AROUND); near <= Math.min(last, at + AROUND); near += 1) places.add(near)
  return [...places].sort((a, b) => a - b).map((place) => stops[place] as number)
}

/** Hits over stops as a line of steps, in a box of 1 by 1 with its origin above left: `M0 .2H.5V1`. Only known counts are drawn. */
export function stepPath(stops: number[], known: ReadonlyMap<number, number>, highest: number): string {
  const last = Math.max(1, stops.length - 1)
  let path = ''
  for (const [at, value] of stops.entries()) {
    const hit = known.get(value)
    if (hit === undefined) continue
    const [x, y] = [clean(at / last), clean(1 - hit / Math.max(1, highest))]
    path += path ? `H${x}V${y}` : `M${x} ${y}`
  }
  return path
}

/** What is known of a parameter so far. */
export interface Counted {
  known: ReadonlyMap<number, number>
  /** The count with the value in use. */
  today: number | null
  error: unknown
}

/** Asks for counts: waits until the thumb rests, drops what is stale, and never asks twice for what it knows. */
export class HitCounts {
  private known = new Map<number, number>()
  private current = ''
  private today: number | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private abort: AbortController | undefined

  constructor(
    private readonly ask: (values: number[], signal: AbortSignal) => Promise<FlagPreview>,
    private readonly tell: (counted: Counted) => void,
    private readonly restMs = 60,
  ) {}

  /** These values are wanted now; earlier wishes are forgotten. */
  want(values: number[], restMs = this.restMs): void {
    this.stop()
    const unknown = values.filter((value) => !this.known.has(value))
    if (unknown.length === 0) return this.say(null)
    this.timer = setTimeout(() => void this.send(unknown), restMs)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.abort?.abort()
  }

  private async send(values: number[]): Promise<void> {
    const abort = (this.abort = new AbortController())
    try {
      const answer = await this.ask(values, abort.signal)
      if (abort.signal.aborted) return
      // Judged anew in between: what was known is of another judgement.
      const current = JSON.stringify([answer.version, answer.current])
      if (this.current !== current) this.known.clear()
      this.current = current
      this.today = answer.current.hit
      for (const { value, hit } of answer.parameters[0]?.at ?? []) this.known.set(value, hit)
      this.say(null)
    } catch (error) {
      if (!abort.signal.aborted) this.say(error)
    }
  }

  private say(error: unknown): void {
    this.tell({ known: new Map(this.known), today: this.today, error })
  }
}
