// The shape of a peer group's plot: scale, ticks, dots or bars. Positions may be floats; printed numbers never are.

export interface Dot { x: number; level: number; value: string }
export interface Bar { from: number; to: number; count: number }

export interface PeerShape {
  log: boolean
  min: number
  max: number
  ticks: { x: number; value: number }[]
  dots: Dot[]
  bars: Bar[]
  highest: number
}

const DOTS_MAX = 120
const SPREAD_FOR_LOG = 20
const BAR_BINS = 32
const DOT_BINS = 72

/** Nice values between two ends: 1, 2, 5 times a power of ten. */
export function niceTicks(from: number, to: number, log: boolean): number[] {
  if (log) {
    const decades = Math.log10(to) - Math.log10(from)
    const steps = decades > 4 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5]
    const ticks: number[] = []
    for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power += 1) {
      for (const step of steps) ticks.push(Number(`${step}e${power}`))
    }
    return ticks.filter((t) => t >= from && t <= to)
  }
  const rough = (to - from) / 5
  const power = Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((s) => s * 10 ** power).find((s) => s >= rough) ?? rough
  const ticks: number[] = []
  for (let k = Math.ceil(from / step); k * step <= to + step * 1e-9; k += 1) ticks.push(Number((k * step).toPrecision(12)))
  return ticks
}

/** Lays out a peer group with its marked case; null when there is nothing to draw. */
export function shapePeers(values: string[], marked: string | null): PeerShape | null {
  const group = values.map((text) => ({ text, n: Number(text) })).filter(({ n }) => Number.isFinite(n))
  if (group.length === 0) return null
  const all = group.map(({ n }) => n)
  if (marked !== null && Number.isFinite(Number(marked))) all.push(Number(marked))
  const least = all.reduce((a, b) => Math.min(a, b))
  const most = all.reduce((a, b) => Math.max(a, b))
  const log = least > 0 && most / least > SPREAD_FOR_LOG
  const x = (n: number) => (log ? Math.log10(n) : n)
  const room = (x(most) - x(least)) * 0.06 || Math.abs(x(most)) * 0.1 || 1
  let [min, max] = [x(least) - room, x(most) + room]
  if (!log && least >= 0) min = Math.max(0, min)
  const asDots = group.length <= DOTS_MAX
  const bins = asDots ? DOT_BINS : BAR_BINS
  const width = (max - min) / bins
  const bin = (n: number) => Math.min(bins - 1, Math.floor((x(n) - min) / width))

  const counts = new Array<number>(bins).fill(0)
  const dots: Dot[] = []
  for (const { text, n } of group.sort((a, b) => a.n - b.n)) {
    const at = bin(n)
    counts[at] = (counts[at] ?? 0) + 1
    if (asDots) dots.push({ x: x(n), level: counts[at] ?? 1, value: text })
  }
  const bars = asDots ? [] : counts.map((count, at) => ({ from: min + at * width, to: min + (at + 1) * width, count }))
  const ends = log ? [10 ** min, 10 ** max] as const : [min, max] as const
  return {
    log, min, max, dots, bars,
    ticks: niceTicks(ends[0], ends[1], log).map((value) => ({ x: x(value), value })),
    highest: counts.reduce((a, b) => Math.max(a, b)),
  }
}
