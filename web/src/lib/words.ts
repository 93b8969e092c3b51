// Codes of the API in the words a reader knows. A code that is not here is shown as it came.

const MODALITIES: Record<string, string> = {
  pregao: 'Pregão',
  concorrencia: 'Concorrência',
  concurso: 'Concurso',
  leilao: 'Leilão',
  dialogo_competitivo: 'Diálogo competitivo',
  tomada_de_precos: 'Tomada de preços',
  convite: 'Convite',
  dispensa: 'Dispensa de licitação',
  inexigibilidade: 'Inexigibilidade',
  manifestacao_de_interesse: 'Manifestação de interesse',
  pre_qualificacao: 'Pré-qualificação',
  credenciamento: 'Credenciamento',
  rdc: 'Regime diferenciado (RDC)',
}

const SANCTIONS: Record<string, string> = {
  inidoneidade: 'Declaração de inidoneidade',
  impedimento: 'Impedimento de licitar e contratar',
  suspensao: 'Suspensão de licitar',
  proibicao: 'Proibição de contratar',
  multa: 'Multa',
  publicacao: 'Publicação da decisão',
  interdicao: 'Interdição de atividades',
  proibicao_de_incentivos: 'Proibição de receber incentivos',
}

const REGIMES: Record<string, string> = {
  lei_14133: 'Lei 14.133/2021',
  lei_8666: 'Lei 8.666/1993',
  lei_10520: 'Lei 10.520/2002',
  lei_12462: 'Lei 12.462/2011 (RDC)',
  lei_13303: 'Lei 13.303/2016 (estatais)',
}

const SEVERITIES: Record<string, string> = { critical: 'crítica', high: 'alta', medium: 'média', low: 'baixa' }
const KINDS: Record<string, string> = { rule: 'regra legal', signal: 'sinal estatístico', context: 'contexto' }
const STATES: Record<string, string> = { open: 'em aberto', withdrawn: 'retirado' }
const SUPPLIER_KINDS: Record<string, string> = {
  company: 'empresa',
  person: 'pessoa física',
  foreign: 'estrangeiro',
  unverified: 'número não confere',
}
const SPHERES: Record<string, string> = { F: 'federal', E: 'estadual', M: 'municipal', D: 'distrital' }
const BASES: Record<string, string> = {
  text: 'lido do texto',
  stated: 'informado pela fonte',
  catalog: 'pelo código de catálogo',
  cnae: 'pela atividade do fornecedor',
  derived: 'calculado do total e da quantidade',
}
const AMENDMENTS: Record<string, string> = { amendment: 'Termo aditivo', apostille: 'Apostilamento' }
const OUTCOMES: Record<string, string> = { likely: 'provável', possible: 'possível', not_checked: 'não verificada', ruled_out: 'descartada' }

const SOURCES: Record<string, string> = {
  'portal-compras': 'Portal da Transparência: compras',
  'portal-licitacoes': 'Portal da Transparência: licitações',
  'portal-ceis': 'Cadastro de empresas inidôneas e suspensas (CEIS)',
  'portal-cnep': 'Cadastro de empresas punidas (CNEP)',
  'portal-sancoes-lista': 'Portal da Transparência: lista de sanções',
  'portal-ui': 'Portal da Transparência: consulta de contratos',
  pncp: 'Portal Nacional de Contratações Públicas (PNCP)',
  'sagres-pb': 'Tribunal de Contas da Paraíba (SAGRES)',
  'licitacon-rs': 'Tribunal de Contas do Rio Grande do Sul (LicitaCon)',
  'mg-empenhos': 'Minas Gerais: empenhos',
  'mg-compras': 'Minas Gerais: compras da pandemia',
  'sp-capital': 'Prefeitura de São Paulo: extratos de contratos',
  recife: 'Prefeitura do Recife: contratos',
  'pncp-df': 'Dispensas no Distrito Federal, reunidas a partir do PNCP',
  receita: 'Receita Federal: Cadastro Nacional da Pessoa Jurídica (CNPJ)',
}

const TABLES: Record<string, string> = {
  buyers: 'órgãos',
  suppliers: 'fornecedores',
  partners: 'sócios',
  tenders: 'licitações',
  items: 'itens',
  bids: 'propostas',
  contracts: 'contratos',
  amendments: 'aditivos',
  sanctions: 'sanções',
  payments: 'pagamentos',
}

const SUBJECTS: Record<string, string> = {
  item: 'item',
  contract: 'contrato',
  tender: 'licitação',
  buyer: 'órgão',
  supplier: 'fornecedor',
  pair: 'par de contratos',
  buyer_year_activity: 'órgão, ano e ramo de atividade',
  buyer_year: 'órgão e ano',
  supplier_class: 'fornecedor e classe de item',
  buyer_series: 'órgão e tipo de gasto',
}

const FIELDS: Record<string, string> = {
  activity: 'ramo de atividade',
  activity_basis: 'ramo informado pela própria fonte',
  amendments: 'aditivos',
  bars_contracting: 'se a sanção impede contratar',
  bidders: 'participantes',
  body: 'órgão que aplicou a sanção',
  buyer_id: 'órgão',
  buyer_name: 'nome do órgão',
  catalog_code: 'código de catálogo',
  closes_on: 'prazo final das propostas',
  contract_id: 'contrato',
  cursor: 'marcador de página',
  cnpj: 'CNPJ',
  description: 'descrição',
  ends_on: 'fim da vigência',
  flag: 'sinal',
  income: 'se é receita',
  kind: 'tipo',
  legal_basis: 'amparo legal',
  limit: 'tamanho da página',
  modality: 'modalidade',
  modality_as_stated: 'modalidade na fonte',
  number: 'número',
  object: 'objeto',
  opened_on: 'data de abertura',
  peers: 'grupo de comparação',
  price_basis: 'origem do preço',
  process: 'processo',
  published_on: 'data de publicação',
  q: 'palavras procuradas',
  quantity: 'quantidade',
  regime: 'lei que rege a compra',
  scope: 'abrangência',
  scope_as_stated: 'abrangência',
  body_sphere: 'esfera do órgão que sancionou',
  listed_on: 'lista de sanções com data até a assinatura',
  spread: 'variação dos preços',
  scope_max: 'abrangência',
  scope_min: 'abrangência',
  severity: 'gravidade',
  signed_from: 'assinado de',
  signed_on: 'data de assinatura',
  signed_to: 'assinado até',
  sort: 'ordem',
  source: 'fonte',
  sphere: 'esfera',
  starts_on: 'início da vigência',
  state: 'estado',
  status: 'situação',
  supplier_id: 'fornecedor',
  supplier_name: 'nome do fornecedor',
  tender_id: 'licitação',
  total: 'valor total',
  unit: 'unidade de medida',
  unit_price: 'preço unitário',
  value: 'valor',
  value_awarded: 'valor homologado',
  value_estimated: 'valor estimado',
  value_final: 'valor final',
  value_initial: 'valor inicial',
  value_max: 'valor máximo',
  value_min: 'valor mínimo',
  won: 'vencedor',
}

const TABLES_OF: Record<string, string> = {
  buyers: 'do órgão',
  suppliers: 'do fornecedor',
  partners: 'do sócio',
  tenders: 'da licitação',
  items: 'do item',
  bids: 'da proposta',
  contracts: 'do contrato',
  amendments: 'do aditivo',
  sanctions: 'da sanção',
  payments: 'do pagamento',
}

const REASONS: Record<string, string> = {
  field_count: 'colunas a mais ou a menos',
  quote: 'aspas sem par',
  encoding: 'texto ilegível',
  date: 'data que não existe',
  amount: 'valor ilegível',
  number_style: 'número em outro estilo',
  required_field: 'campo obrigatório ausente',
  json: 'JSON inválido',
  type: 'tipo inesperado',
  too_long: 'linha longa demais',
  truncated: 'linha cortada',
  id_collision: 'identificadores em conflito',
}

const said = (words: Record<string, string>) => (code: string | null | undefined) => (code ? (words[code] ?? code) : '')

export const modality = said(MODALITIES)
export const sanctionKind = said(SANCTIONS)
export const regime = said(REGIMES)
export const severity = said(SEVERITIES)
export const kind = said(KINDS)
export const state = said(STATES)
export const supplierKind = said(SUPPLIER_KINDS)
export const sphere = said(SPHERES)
export const basis = said(BASES)
export const amendmentKind = said(AMENDMENTS)
export const outcome = said(OUTCOMES)
export const source = said(SOURCES)
export const table = said(TABLES)
export const subject = said(SUBJECTS)

/** Why a row was set aside, in words; codes we do not know lose only their underscores. */
export function reason(code: string): string {
  return REASONS[code] ?? code.replaceAll('_', ' ')
}

/** `items.unit_price` → `preço unitário do item`. */
export function field(code: string): string {
  const [first = '', second] = code.split('.')
  if (second === undefined) return FIELDS[first] ?? TABLES[first] ?? first.replaceAll('_', ' ')
  const name = FIELDS[second] ?? second.replaceAll('_', ' ')
  return TABLES_OF[first] ? `${name} ${TABLES_OF[first]}` : `${name} (${first})`
}

const options = (words: Record<string, string>): [string, string][] => Object.entries(words)

export const MODALITY_OPTIONS = options(MODALITIES)
export const SPHERE_OPTIONS = options(SPHERES)
export const SUPPLIER_KIND_OPTIONS = options(SUPPLIER_KINDS)
export const SEVERITY_OPTIONS = options(SEVERITIES).map(([code, name]): [string, string] => [code, `gravidade ${name}`])

export const STATE_OPTIONS: [string, string][] = (
  'AC AL AP AM BA CE DF ES GO MA MT MS MG PA PB PR PE PI RJ RN RS RO RR SC SP SE TO'.split(' ')
).map((code) => [code, code])

/** Persons, and numbers that may be a person's, stay out of search engines. */
export function isPrivate(supplierId: string | null | undefined, supplierKindCode?: string): boolean {
  if (supplierKindCode) return supplierKindCode === 'person' || supplierKindCode === 'unverified'
  return /^(cpf|unv):/.test(supplierId ?? '')
}
