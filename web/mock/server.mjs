// A stand-in for the program while the page is being made: serves dist/ and a fictitious /api/v1.
//
//   node mock/server.mjs [port]      `?falha=1` on any API path answers 503; `MOCK_EMPTY=1` holds no data; `MOCK_DELAY=ms` waits.

import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as data from './data.mjs'

const DIST = fileURLToPath(new URL('../dist/', import.meta.url))
const PORT = Number(process.argv[2] ?? 4174)
const EMPTY = process.env.MOCK_EMPTY === '1'
const DELAY_MS = Number(process.env.MOCK_DELAY ?? 0)
const CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

class Refusal extends Error {
  constructor(status, title, detail, field) {
    super(detail)
    this.body = { type: status === 404 ? '/problems/not-found' : '/problems/invalid-parameter', title, status, detail, field }
  }
}
const refuse = (field, detail) => { throw new Refusal(400, 'Parâmetro inválido', detail, field) }
const fold = (text) => (text ?? '').normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
const holds = (text, q) => fold(q).split(/\s+/).every((word) => fold(text).includes(word))

/** One page of rows, after the filters that the collection knows. */
function list(rows, query, filters, sorts = {}) {
  const known = new Set([...Object.keys(filters), 'limit', 'cursor', 'sort'])
  for (const name of query.keys()) if (!known.has(name)) refuse(name, `O parâmetro “${name}” não existe aqui.`)
  const limit = Number(query.get('limit') ?? 20)
  if (!(limit >= 1 && limit <= 100)) refuse('limit', 'O limite vai de 1 a 100.')
  let kept = EMPTY ? [] : rows
  for (const [name, test] of Object.entries(filters)) {
    const value = query.get(name)
    if (value) kept = kept.filter((row) => test(row, value))
  }
  const sort = sorts[query.get('sort')]
  if (sort) kept = [...kept].sort(sort)
  const from = Number(Buffer.from(query.get('cursor') ?? '', 'base64').toString() || 0)
  const next = from + limit < kept.length ? Buffer.from(String(from + limit)).toString('base64') : null
  return { data: kept.slice(from, from + limit), page: { next_cursor: next, limit } }
}

function one(rows, id, key = 'id') {
  const found = EMPTY ? undefined : rows.find((row) => row[key] === id)
  if (!found) throw new Refusal(404, 'Não encontrado', `Não há registro com o identificador “${id}”.`)
  return found
}

const isoDate = (field) => (_, value) => /^\d{4}-\d{2}-\d{2}$/.test(value) || refuse(field, 'A data se escreve AAAA-MM-DD.')
const contractFilters = {
  q: (c, v) => holds(`${c.object} ${c.buyer?.name} ${c.supplier?.name}`, v),
  buyer_id: (c, v) => c.buyer?.id === v, supplier_id: (c, v) => c.supplier?.id === v,
  cnpj: (c, v) => (/^[\dA-Z./-]{14,18}$/i.test(v) || refuse('cnpj', 'O CNPJ tem 14 caracteres.')) && c.supplier?.id === `cnpj:${v.replace(/[./-]/g, '')}`,
  source: (c, v) => c.source === v, modality: (c, v) => c.modality === v, state: (c, v) => c.buyer?.state === v,
  signed_from: (c, v) => isoDate('signed_from')(c, v) && c.signed_on >= v, signed_to: (c, v) => isoDate('signed_to')(c, v) && c.signed_on <= v,
  value_min: (c, v) => Number(c.value_final) >= Number(v), value_max: (c, v) => Number(c.value_final) <= Number(v),
}
const summary = ({ id, flag, severity, kind, state, title, summary: words, amount, measure, unit, as_of }) => ({ id, flag, severity, kind, state, title, summary: words, amount, measure, unit, as_of })
const totals = (rows) => ({
  contracts: rows.length, value: `${rows.reduce((sum, c) => sum + BigInt((c.value_final ?? '0.0000').replace('.', '')), 0n)}`.replace(/(\d{4})$/, '.$1'), currency: 'BRL',
  first_signed_on: rows.map((c) => c.signed_on).filter(Boolean).sort()[0] ?? null, last_signed_on: rows.map((c) => c.signed_on).filter(Boolean).sort().at(-1) ?? null,
})
function party(row, side) {
  const contracts = data.contracts.filter((c) => c[side]?.id === row.id)
  const findings = data.findings.filter((f) => f[side]?.id === row.id && row.id !== 'uasg:000002').map(summary)
  return { ...row, totals: totals(contracts), findings, contracts: contracts.slice(0, 20) }
}
function evidence(finding) {
  const flag = data.flags.find((f) => f.code === finding.flag)
  return {
    finding, flag: { code: flag.code, version: flag.version, formula: flag.formula, sql: flag.sql }, parameters: { z_min: '3.5', peers_min: '10' },
    rows: finding.contract_ids.map((id, n) => data.evidenceRow(n, id)), rows_total: finding.coverage.rows_read, arithmetic: finding.arithmetic, peers: finding.peers, law: finding.law,
    segments: [{ path: 'contracts/portal-compras/2024-03/1.parquet', sha256: data.hash(4, 64), rows: 1520 }],
    run: { id: 7, judged_at: '2026-11-23T10:05:00-03:00', catalogue_version: '2026.11', program_version: '0.1.0', law_version: '2026-01-01' },
  }
}

const routes = {
  contracts: (query) => list(data.contracts, query, contractFilters, { '-value': (a, b) => Number(b.value_final) - Number(a.value_final), value: (a, b) => Number(a.value_final) - Number(b.value_final) }),
  'contracts/:id': (_, id) => {
    const contract = one(data.contracts, id)
    const n = data.contracts.indexOf(contract)
    return { ...contract, metadata: { 'Código Órgão Superior': '26000', FICTÍCIO: 'sim' }, items: data.items(n), amendments: data.amendments(n), versions: data.versions(n), findings: data.findings.filter((f) => f.contract_ids.includes(id)).map(summary) }
  },
  suppliers: (query) => list(data.suppliers, query, { q: (s, v) => holds(s.name, v), cnpj: (s, v) => s.cnpj === v.replace(/[./-]/g, ''), kind: (s, v) => s.kind === v }),
  'suppliers/:id': (_, id) => { const row = one(data.suppliers, id); return { ...party(row, 'supplier'), sanctions: row.id.includes('12ABC') ? data.sanctions : [] } },
  buyers: (query) => list(data.buyers, query, { q: (b, v) => holds(b.name, v), state: (b, v) => b.state === v, sphere: (b, v) => b.sphere === v }),
  'buyers/:id': (_, id) => party(one(data.buyers, id), 'buyer'),
  flags: () => ({ data: EMPTY ? data.flags.map((f) => ({ ...f, coverage: { hit: 0, clear: 0, not_computable: {} } })) : data.flags }),
  'flags/:id': (_, id) => one(data.flags, id, 'code'),
  findings: (query) => {
    if (!query.get('state')) query.set('state', 'open')
    return list(data.findings, query, {
      flag: (f, v) => f.flag === v, severity: (f, v) => f.severity === v, kind: (f, v) => f.kind === v, state: (f, v) => v === 'all' || f.state === v,
      buyer_id: (f, v) => f.buyer?.id === v, supplier_id: (f, v) => f.supplier?.id === v, contract_id: (f, v) => f.contract_ids.includes(v),
    })
  },
  'findings/:id': (_, id) => one(data.findings, id),
  'findings/:id/evidence': (_, id) => evidence(one(data.findings, id)),
  sources: () => ({ data: EMPTY ? [] : data.sources }),
}

function answerApi(url) {
  if (url.searchParams.has('falha')) throw new Refusal(503, 'Indisponível', 'O banco de dados não respondeu a tempo.')
  const [collection, id, rest] = url.pathname.slice('/api/v1/'.length).split('/')
  const name = [collection, id && ':id', rest].filter(Boolean).join('/')
  const route = routes[name]
  if (!route) throw new Refusal(404, 'Não encontrado', 'Esta rota não existe.')
  return route(url.searchParams, id && decodeURIComponent(id))
}

function serveFile(path, answer) {
  const wanted = join(DIST, normalize(decodeURIComponent(path)))
  const file = wanted.startsWith(DIST) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(DIST, 'index.html')
  answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP })
  createReadStream(file).pipe(answer)
}

createServer(async (request, answer) => {
  const url = new URL(request.url, 'http://local')
  if (!url.pathname.startsWith('/api/v1/')) return serveFile(url.pathname, answer)
  if (DELAY_MS) await new Promise((done) => setTimeout(done, DELAY_MS))
  try {
    const body = answerApi(url)
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  } catch (error) {
    const body = error instanceof Refusal ? error.body : { title: 'Erro', status: 500, detail: String(error) }
    answer.writeHead(body.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body))
  }
}).listen(PORT, '127.0.0.1', () => console.log(`FICTÍCIO: http://127.0.0.1:${PORT}`))
