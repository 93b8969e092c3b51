// The typed client of /api/v1. Every page goes through it; nothing else calls fetch.

import type {
  BuyerDetail, Buyer, Contract, ContractDetail, Evidence, Finding, Flag, FlagDetail, FlagPreview, Page, SignedIn, Source, Supplier,
  SupplierDetail, Verdict,
} from './types'

/** Filters as they stand in a URL; empty ones are not sent. */
export type Params = Record<string, string | number | null | undefined>

/** An answer that is not the data asked for, in the words of RFC 9457. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string | null,
    readonly field: string | null,
  ) {
    super(detail ?? title)
  }
}

const BASE = '/api/v1'
const FRESH_MS = 60_000
const KEPT_MAX = 60
const kept = new Map<string, { at: number; body: unknown }>()

/** The path of one resource; ids contain `:` and `/`, so they are always encoded. */
export function resourcePath(collection: string, id: string, rest = ''): string {
  return `${BASE}/${collection}/${encodeURIComponent(id)}${rest}`
}

/** A query string in a fixed order, without empty values. */
export function queryString(params: Params): string {
  const pairs = Object.entries(params)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
  return pairs.length ? `?${pairs.join('&')}` : ''
}

async function problemOf(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>
  const words = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : null)
  return new Problem(answer.status, words('title') ?? `Erro ${answer.status}`, words('detail'), words('field'))
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(path, { cache: 'no-cache', ...init, headers: { accept: 'application/json', ...init.headers } })
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new Problem(0, 'Sem resposta do servidor', 'Não foi possível falar com o servidor. Verifique a conexão e tente de novo.', null)
  }
  if (!answer.ok) throw await problemOf(answer)
  if (answer.status === 204) return undefined as T
  try {
    return (await answer.json()) as T
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new Problem(answer.status, 'Resposta ilegível', 'O servidor respondeu algo que não é JSON.', null)
  }
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const held = kept.get(path)
  if (held && Date.now() - held.at < FRESH_MS) return held.body as T
  const body = await ask<T>(path, { signal })
  if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value as string)
  kept.set(path, { at: Date.now(), body })
  return body
}

let signature: () => Promise<string | null> = async () => null

/** Names what gives the access token of who has signed in, for what is said. Reading goes without it. */
export function signWith(token: () => Promise<string | null>) {
  signature = token
}

async function send<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  return ask<T>(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
}

/** The header of who has signed in; nothing for who has not. */
async function signed(): Promise<Record<string, string>> {
  const token = await signature()
  return token ? { authorization: `Bearer ${token}` } : {}
}

/** Says something. What was kept may be another after it, so nothing stays kept. */
async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await send<T>(path, body, await signed())
  kept.clear()
  return answer
}

/** Bytes to be saved, not kept. */
async function archive(path: string): Promise<Blob> {
  const answer = await fetch(path, { headers: { accept: 'application/zip' } }).catch(() => {
    throw new Problem(0, 'Sem resposta do servidor', 'Não foi possível falar com o servidor. Verifique a conexão e tente de novo.', null)
  })
  if (!answer.ok) throw await problemOf(answer)
  return answer.blob()
}

const list = <T>(collection: string) => (params: Params, signal?: AbortSignal) =>
  get<Page<T>>(`${BASE}/${collection}${queryString(params)}`, signal)

const one = <T>(collection: string, rest = '') => (id: string, signal?: AbortSignal) =>
  get<T>(resourcePath(collection, id, rest), signal)

/** Small collections may come bare or wrapped in `{data}`. */
async function whole<T>(collection: string, signal?: AbortSignal): Promise<T[]> {
  const body = await get<T[] | { data: T[] }>(`${BASE}/${collection}`, signal)
  return Array.isArray(body) ? body : body.data
}

export const api = {
  contracts: list<Contract>('contracts'),
  contract: one<ContractDetail>('contracts'),
  suppliers: list<Supplier>('suppliers'),
  supplier: one<SupplierDetail>('suppliers'),
  buyers: list<Buyer>('buyers'),
  buyer: one<BuyerDetail>('buyers'),
  findings: list<Finding>('findings'),
  finding: one<Finding>('findings'),
  evidence: one<Evidence>('findings', '/evidence'),
  bundle: (id: string) => archive(resourcePath('findings', id, '/evidence')),
  flags: (signal?: AbortSignal) => whole<Flag>('flags', signal),
  flag: one<FlagDetail>('flags'),
  preview: (code: string, parameter: string, values: number[], signal: AbortSignal) =>
    ask<FlagPreview>(`${resourcePath('flags', code, '/preview')}?${encodeURIComponent(parameter)}=${values.join(',')}`, { signal }),
  giveVerdict: (id: string, given: Pick<Verdict, 'verdict' | 'reason'> & { who?: string }) => post<Verdict>(resourcePath('findings', id, '/verdict'), given),
  login: (name: string, password: string) => send<SignedIn>(`${BASE}/auth/login`, { name, password }),
  refresh: (token: string) => send<SignedIn>(`${BASE}/auth/refresh`, { refresh_token: token }),
  logout: async () => send<void>(`${BASE}/auth/logout`, {}, await signed()),
  sources: (signal?: AbortSignal) => whole<Source>('sources', signal),
}
