// The peer plot, drawn by ECharts. This file is fetched only by pages that show a plot.

import { CustomChart, ScatterChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { init, use, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { measure, plural } from './format'
import type { PeerShape } from './peers'
import type { Peers } from './types'

use([CustomChart, ScatterChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer])

const tickWords = new Intl.NumberFormat('pt-BR', { notation: 'compact', maximumSignificantDigits: 3 })

const SHARES = new Set(['share', 'ratio', 'jaccard'])
const shareWords = new Intl.NumberFormat('pt-BR', { style: 'percent', maximumSignificantDigits: 3 })

interface Ink { ink: string; soft: string; line: string; accent: string; mark: string; card: string }

function inkOf(element: HTMLElement): Ink {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return { ink: of('ink'), soft: of('soft'), line: of('line'), accent: of('accent'), mark: of('mark'), card: of('card') }
}

/** A position on the axis of a decimal text. */
const place = (value: string, log: boolean) => (log ? Math.log10(Number(value)) : Number(value))

function line(value: string, words: string, log: boolean, color: string, dashed: boolean, at: 'start' | 'end', align: 'left' | 'right') {
  return {
    xAxis: place(value, log),
    label: {
      formatter: words, color, fontWeight: 600 as const, fontSize: 13,
      position: at, align, distance: at === 'end' ? [0, 6] : 6,
    },
    lineStyle: { color, width: 2, type: dashed ? ('dashed' as const) : ('solid' as const) },
  }
}

function option(peers: Peers, shape: PeerShape, ink: Ink): EChartsCoreOption {
  const say = (value: string) => measure(value, peers.unit)
  const side = (value: string) => (place(value, shape.log) > (shape.min + shape.max) / 2 ? 'right' : 'left')
  const lines = []
  if (peers.median !== null) {
    lines.push({ ...line(peers.median, `mediana: ${say(peers.median)}`, shape.log, ink.soft, true, 'end', side(peers.median)) })
  }
  if (peers.marked !== null) {
    lines.push({ ...line(peers.marked, `este caso: ${say(peers.marked)}`, shape.log, ink.mark, false, 'end', side(peers.marked)) })
    const last = lines[lines.length - 1]
    if (last) last.label.distance = [0, 26]
  }
  const ticks = shape.ticks.map((t) => t.x)
  const written = SHARES.has(peers.unit ?? '') ? shareWords : tickWords
  const words = new Map(shape.ticks.map((t) => [t.x, written.format(t.value)]))
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: shape.bars.length ? 44 : 14, right: 14, top: 62, bottom: 34 },
    tooltip: {
      trigger: 'item', confine: true, backgroundColor: ink.card, borderColor: ink.line, textStyle: { color: ink.ink },
    },
    xAxis: {
      type: 'value', min: shape.min, max: shape.max,
      axisLine: { show: true, onZero: false, lineStyle: { color: ink.soft } },
      axisTick: { show: true, customValues: ticks, lineStyle: { color: ink.soft } },
      axisLabel: {
        customValues: ticks, color: ink.soft, fontSize: 12, hideOverlap: true,
        formatter: (x: number) => words.get(x) ?? '',
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value', min: 0, max: Math.max(shape.highest + 1, shape.bars.length ? 0 : 5), minInterval: 1,
      axisLabel: { show: shape.bars.length > 0, color: ink.soft }, axisLine: { show: false }, axisTick: { show: false },
      splitLine: { show: shape.bars.length > 0, lineStyle: { color: ink.line } },
    },
    series: [
      {
        type: 'scatter', z: 5, symbolSize: 9, itemStyle: { color: ink.accent, opacity: 0.75 },
        data: shape.dots.map((d) => ({ value: [d.x, d.level - 0.5], name: say(d.value) })),
        tooltip: { formatter: '{b}' },
        // Else ECharts rounds where a line stands to two decimals, and a share's line would miss its own dot.
        markLine: { silent: true, symbol: 'none', precision: 15, data: lines },
      },
      {
        type: 'custom', itemStyle: { color: ink.accent, opacity: 0.8 },
        data: shape.bars.map((b) => ({ value: [b.from, b.to, b.count], name: plural(b.count, 'caso', 'casos') })),
        encode: { x: [0, 1], y: 2 }, tooltip: { formatter: '{b}' },
        renderItem: (_: unknown, api: DrawApi) => {
          const [left, top] = api.coord([api.value(0), api.value(2)])
          const [right, bottom] = api.coord([api.value(1), 0])
          return {
            type: 'rect', style: { fill: ink.accent },
            shape: { x: left + 0.5, y: top, width: Math.max(1, right - left - 1), height: bottom - top },
          }
        },
      },
    ],
  }
}

interface DrawApi {
  value(at: number): number
  coord(point: [number, number]): [number, number]
}

/** Draws the plot into an element, follows its width and the colour scheme, and returns how to take it down. */
export function drawPeers(element: HTMLElement, peers: Peers, shape: PeerShape): () => void {
  const chart = init(element, null, { renderer: 'svg' })
  const paint = () => chart.setOption(option(peers, shape, inkOf(element)), true)
  paint()
  const watch = new ResizeObserver(() => chart.resize())
  watch.observe(element)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', paint)
  return () => {
    watch.disconnect()
    dark.removeEventListener('change', paint)
    chart.dispose()
  }
}
