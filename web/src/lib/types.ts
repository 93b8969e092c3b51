// The shapes that the API answers with (docs/api.md). A field that the source did not state is null.

/** A sentence in Portuguese and, mostly, in English. */
export type Text = { pt: string; en?: string } | string

export interface Page<T> {
  data: T[]
  page: { next_cursor: string | null; limit: number }
}

/** What `line` counts: lines of a file, or records of a JSON file. */
export type LineKind = 'line' | 'record'

export interface Provenance {
  file: string
  line: number
  line_kind: LineKind
  file_sha256: string
  row_hash: string
  fetched_at: string | null
}

export interface PartyRef {
  id: string | null
  name: string | null
  state?: string | null
}

export interface Contract {
  id: string
  source: string
  number: string | null
  process: string | null
  object: string | null
  modality: string | null
  modality_as_stated: string | null
  legal_basis: string | null
  regime: string | null
  status: string | null
  buyer: PartyRef | null
  supplier: PartyRef | null
  signed_on: string | null
  published_on: string | null
  starts_on: string | null
  ends_on: string | null
  value_initial: string | null
  value_final: string | null
  currency: string
  income: boolean
  activity: string | null
  activity_basis: string | null
  tender_id: string | null
  provenance: Provenance | null
}

export interface Item {
  id: string
  description: string | null
  catalog_code: string | null
  unit: string | null
  unit_basis: string | null
  quantity: string | null
  unit_price: string | null
  total: string | null
  provenance: Provenance | null
}

export interface Amendment {
  id: string
  number: string | null
  kind: string | null
  signed_on: string | null
  value: string | null
  description: string | null
}

export interface Version {
  row_hash: string
  valid_from: string | null
  valid_to: string | null
  file: string
  line: number
  line_kind: LineKind
}

export interface ContractDetail extends Contract {
  metadata: Record<string, unknown> | null
  items: Item[]
  amendments: Amendment[]
  findings: FindingSummary[]
  versions: Version[]
}

export interface Totals {
  contracts: number
  value: string | null
  currency: string
  first_signed_on: string | null
  last_signed_on: string | null
}

export interface Supplier {
  id: string
  kind: 'company' | 'person' | 'foreign' | 'unverified' | (string & {})
  name: string | null
  cnpj: string | null
  masked_cpf: string | null
}

export interface Sanction {
  id: string
  register: string | null
  kind: string | null
  bars_contracting: boolean | null
  starts_on: string | null
  ends_on: string | null
  body: string | null
  scope_as_stated: string | null
  legal_basis: string | null
  provenance: Provenance | null
}

export interface SupplierDetail extends Supplier {
  same_as: string[]
  links: EntityLink[]
  totals: Totals
  sanctions: Sanction[]
  findings: FindingSummary[]
  contracts: Contract[]
}

export interface Buyer {
  id: string
  name: string | null
  code: string | null
  cnpj: string | null
  sphere: string | null
  state: string | null
  municipality: string | null
  parent_name: string | null
  superior_name: string | null
}

export interface EntityLink {
  kind: string
  from_id: string
  into_id: string
  basis: string
  confidence: number
  state: 'proposed' | 'merged' | 'undone' | (string & {})
  decided_by: string
  decided_at: string
  reason: string
}

export interface BuyerDetail extends Buyer {
  same_as: string[]
  links: EntityLink[]
  totals: Totals
  findings: FindingSummary[]
  contracts: Contract[]
}

export interface FlagParameter {
  name: string
  default: string | number | null
  min: string | number | null
  max: string | number | null
  unit: string | null
  description: Text | null
  /** How it acts on what is kept of each case, when other values can be tried. */
  preview?: string | null
}

export interface FlagExplanation {
  code: string
  pt: string
  en?: string
}

export interface Coverage {
  hit: number
  clear: number
  not_computable: Record<string, number>
}

export interface Precision {
  confirmed: number
  dismissed: number
  n: number
  precision: number
  interval: { low: number; high: number }
}

/** The hits of a flag at other values of its parameters. */
export interface FlagPreview {
  version: number
  current: Coverage
  parameters: { name: string; at: { value: number; hit: number }[] }[]
}

export interface Flag {
  code: string
  version: number
  kind: string
  agent: string | null
  severity: string
  ocp_codes: string[]
  name: Text
  summary: Text
  formula: Text
  legal_basis: Text[]
  needs: string[]
  parameters: FlagParameter[]
  explanations: FlagExplanation[]
  counterfactual: Text
  coverage: (Coverage & { by_source?: Record<string, Coverage> }) | null
  precision?: Precision | null
}

export interface FlagDetail extends Flag {
  sql: string
}

export interface FindingSummary {
  id: string
  flag: string
  severity: string
  kind: string
  state: string
  title: Text
  summary: Text
  amount: string | null
  currency?: string
  measure: string | null
  unit: string | null
  as_of: string | null
  /** The verdict that stands: its code here, whole in a finding. */
  verdict?: Verdict | string | null
}

export interface Law {
  regime: Text | null
  article: Text | null
  act: Text | null
  limit: string | null
  in_force: [string | null, string | null] | null
}

export interface ArithmeticStep {
  label: Text
  expression: string
  result: string
}

export interface Peers {
  definition: Text
  n: number
  median: string | null
  mad: string | null
  percentile: string | null
  values: string[] | null
  unit: string | null
  marked: string | null
}

export interface FindingExplanation {
  code: string
  outcome: 'likely' | 'possible' | 'not_checked' | 'ruled_out' | (string & {})
  because: Text | null
}

export interface Verdict {
  verdict: 'confirmed' | 'dismissed' | (string & {})
  reason: string
  who: string
  when: string
  changed_since: string[]
}

export interface Statement {
  id: number
  who: string
  text: string | null
  made_at: string
  state: 'standing' | 'withdrawn' | (string & {})
  withdrawn_at: string | null
  withdrawn_because: string | null
}

/** What people said of a finding; only one asked for by its id has it. */
export interface Said {
  verdict_history?: Verdict[]
  statements?: Statement[]
}

export interface Finding extends FindingSummary, Said {
  verdict?: Verdict | null
  version: number
  subject: { type: string; id: string }
  buyer: PartyRef | null
  supplier: PartyRef | null
  contract_ids: string[]
  threshold: string | null
  known_at: string | null
  law: Law | null
  arithmetic: ArithmeticStep[]
  peers: Peers | null
  explanations: FindingExplanation[]
  counterfactual: Text | null
  coverage: { rows_read: number; fields_missing: Record<string, number>; sources: string[] } | null
  links: { evidence: string; page: string }
}

export interface EvidenceRow {
  table: string
  id: string
  file: string
  file_sha256: string
  line: number
  line_kind: LineKind
  row_hash: string
  fields: Record<string, unknown>
}

export interface Evidence {
  flag: { code: string; version: number; formula: Text; sql: string }
  parameters: Record<string, unknown>
  rows: EvidenceRow[]
  rows_total: number
  segments: { path: string; sha256: string; rows: number }[]
  run: {
    id: string | number
    judged_at: string | null
    catalogue_version: string | null
    program_version: string | null
    law_version: string | null
  } | null
}

export interface Source {
  source: string
  table: string
  rows: number
  period: { from: string | null; to: string | null } | null
  files: number
  last_ingest_at: string | null
  quarantined: Record<string, number>
  undated: number
  fields: Record<string, { present: number; missing: number; rows: number }>
  duplicates: { unchanged: number; told_apart: number | null }
  gaps: { months: string[]; total: number }
  errors: { incomplete_files: number; files: string[]; quarantined_rows: number }
  unknown: Record<string, Record<string, number>> | null
  not_computable: Record<string, string[]>
}

/** What one who has signed in gets. */
export interface SignedIn {
  access_token: string
  expires_in: number
  refresh_token: string
  name: string
  role: string
}
