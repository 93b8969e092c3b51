// How numbers, money and dates are written for a Brazilian reader.
//
// Money and measures arrive as decimal text and are only ever cut and joined as text: a float would round.

import type { Text } from './types'

export const NOT_STATED = 'não informado'
const NBSP = '\u00a0'
const DECIMAL = /^([-+]?)(\d+)(?:\.(\d+))?$/

/** Portuguese first; English where there is nothing else. */
export function text(value: Text | null | undefined): string {
  if (!value) return ''
  const words = typeof value === 'string' ? value : value.pt || value.en || ''
  return words.replace(/R\$ (?=\d)/g, `R$${NBSP}`)
}

function grouped(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '').replace(/\B(?=(\d{3})+$)/g, '.')
}

/** A decimal text with its sign apart, or null when it is not one. */
function parts(value: string): { sign: string; whole: string; fraction: string } | null {
  const found = DECIMAL.exec(value.trim())
  if (!found) return null
  const [, sign, whole = '', fraction = ''] = found
  const zero = /^0*$/.test(whole + fraction)
  return { sign: sign === '-' && !zero ? '−' : '', whole, fraction }
}

/** `"87600.0000"` → `R$ 87.600,00`; four decimals only when the last two say something. */
export function money(value: string | null | undefined, currency = 'BRL'): string {
  if (value === null || value === undefined || value === '') return NOT_STATED
  const found = parts(value)
  if (!found) return value
  const long = found.fraction.replace(/0+$/, '').length > 2
  const fraction = long ? found.fraction.replace(/0+$/, '').padEnd(4, '0') : found.fraction.slice(0, 2).padEnd(2, '0')
  const symbol = currency === 'BRL' ? 'R$' : currency
  return `${found.sign}${symbol}${NBSP}${grouped(found.whole)},${fraction}`
}

/** A decimal without trailing zeros: `"5.2100"` → `5,21`. Years and other four-digit integers are not grouped. */
export function decimal(value: string | number | null | undefined): string {
  if (value === null || value === undefined || value === '') return NOT_STATED
  const found = parts(String(value))
  if (!found) return String(value)
  const fraction = found.fraction.replace(/0+$/, '')
  const whole = found.whole.length > 4 ? grouped(found.whole) : found.whole
  return `${found.sign}${whole}${fraction ? `,${fraction}` : ''}`
}

/** A result of arithmetic: four decimals are money-like (`87600.0000` → `87.600,00`), words stay words. */
export function result(value: string): string {
  const found = parts(value)
  if (!found) return value
  if (found.fraction.length !== 4) return decimal(value)
  return money(value).replace(`R$${NBSP}`, '')
}

/** A count: `18204` → `18.204`. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? NOT_STATED : grouped(String(Math.trunc(value)))
}

/** A share as a percentage, by moving the decimal sign: `"0.4600"` → `46 %`. */
export function percent(value: string): string {
  const found = parts(value)
  if (!found) return value
  const fraction = found.fraction.padEnd(2, '0')
  const whole = (found.whole + fraction.slice(0, 2)).replace(/^0+(?=\d)/, '')
  return `${found.sign}${decimal(`${whole}.${fraction.slice(2) || '0'}`)}${NBSP}%`
}

/** A measure in its unit, as a reader says it. */
export function measure(value: string | null | undefined, unit: string | null | undefined, currency = 'BRL'): string {
  if (value === null || value === undefined || value === '') return NOT_STATED
  switch (unit) {
    case 'BRL': return money(value, currency)
    case 'z': return `${decimal(value)} desvios robustos`
    case 'HHI': return `${decimal(value)} pontos (HHI)`
    case 'jaccard': return `${percent(value)} de semelhança`
    case 'ratio':
    case 'share': return percent(value)
    case 'percent': return `${decimal(value)}${NBSP}%`
    case 'sanctions': return `${decimal(value)} ${isOne(value) ? 'sanção' : 'sanções'}`
    case 'days': return `${decimal(value)} ${isOne(value) ? 'dia' : 'dias'}`
    case 'business_days': return `${decimal(value)} ${isOne(value) ? 'dia útil' : 'dias úteis'}`
    case 'words': return `${decimal(value)} ${isOne(value) ? 'palavra' : 'palavras'}`
    case null:
    case undefined:
    case '': return decimal(value)
    default: return `${decimal(value)} ${unit}`
  }
}

function isOne(value: string): boolean {
  return /^1(\.0+)?$/.test(value)
}

/** `2024-03-12` → `12/03/2024`. Text is cut, not parsed: no time zone can move a day. */
export function date(value: string | null | undefined): string {
  if (!value) return NOT_STATED
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(value)
  return found ? `${found[3]}/${found[2]}/${found[1]}` : value
}

/** RFC 3339 in its own offset: `2026-11-23T10:02:11-03:00` → `23/11/2026, 10:02`. */
export function dateTime(value: string | null | undefined): string {
  if (!value) return NOT_STATED
  const found = /^\d{4}-\d{2}-\d{2}[T ](\d{2}:\d{2})/.exec(value)
  return found ? `${date(value)}, ${found[1]}` : date(value)
}

/** A pair of dates: `de 01/01/2024 a 31/12/2024`, open ends said in words. */
export function period(from: string | null | undefined, to: string | null | undefined): string {
  if (!from && !to) return NOT_STATED
  if (!to) return `desde ${date(from)}`
  if (!from) return `até ${date(to)}`
  return `de ${date(from)} a ${date(to)}`
}

/** Fourteen characters (letters too, since July 2026) as `12.345.678/0001-95`. */
export function cnpj(value: string | null | undefined): string {
  if (!value) return NOT_STATED
  const found = /^([0-9A-Z]{2})([0-9A-Z]{3})([0-9A-Z]{3})([0-9A-Z]{4})(\d{2})$/i.exec(value)
  return found ? `${found[1]}.${found[2]}.${found[3]}/${found[4]}-${found[5]}` : value
}

/** What someone typed, as a CNPJ's fourteen characters: written with its punctuation, or bare and mostly digits. */
export function cnpjTyped(typed: string): string | null {
  const trimmed = typed.trim().toUpperCase()
  const written = /^[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}\/[0-9A-Z]{4}-\d{2}$/.test(trimmed)
  const bare = /^[0-9A-Z]{12}\d{2}$/.test(trimmed) && trimmed.replace(/\D/g, '').length >= 8
  return written || bare ? trimmed.replace(/[./-]/g, '') : null
}

/** What someone typed as an amount (`1.234,56`, `R$ 1234`), as the API writes it; null when it is no amount. */
export function moneyTyped(typed: string): string | null {
  const bare = typed.replace(/R\$|\s/g, '')
  if (/^\d+(\.\d{1,2})?$/.test(bare)) return bare
  const found = /^(\d{1,3}(?:\.\d{3})*|\d+)(?:,(\d{1,4}))?$/.exec(bare)
  if (!found) return null
  const whole = (found[1] ?? '').replaceAll('.', '')
  return found[2] ? `${whole}.${found[2]}` : whole
}

/** One or many: `plural(2, 'contrato', 'contratos')` → `2 contratos`. */
export function plural(n: number, one: string, many: string): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** The start of a hash, enough to compare by eye. */
export function shortHash(hash: string | null | undefined): string {
  if (!hash) return NOT_STATED
  return hash.length > 12 ? `${hash.slice(0, 12)}…` : hash
}
