// Fictitious data for developing the page. Nothing here is about anyone: every name says FICTÍCIO or FICTÍCIA.

const hash = (n, length = 32) => Array.from({ length }, (_, i) => ((n * 31 + i * 7) % 16).toString(16)).join('')
const money = (cents) => `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}00`
const day = (n) => new Date(Date.UTC(2024, 0, 2 + n)).toISOString().slice(0, 10)

const provenance = (n, file = '202403_Compras.csv') => ({
  file, line: 18204 + n * 37, file_sha256: hash(n + 3, 64), row_hash: hash(n), fetched_at: '2026-11-23T10:02:11-03:00',
})

export const buyers = [
  ['uasg:000001', 'HOSPITAL ESCOLA FICTÍCIO', '000001', 'F', 'DF', 'Brasília', 'UNIVERSIDADE FICTÍCIA'],
  ['uasg:000002', 'INSTITUTO FEDERAL FICTÍCIO DE CIÊNCIA, TECNOLOGIA E DESENVOLVIMENTO REGIONAL DO SERTÃO', '000002', 'F', 'PE', 'Petrolina', null],
  ['pncp:00000000000191-1', 'PREFEITURA MUNICIPAL FICTÍCIA', null, 'M', 'MG', 'Cidade Fictícia', null],
  ['pncp:00000000000272-4', 'SECRETARIA FICTÍCIA DE OBRAS', '4', null, null, null, null],
].map(([id, name, code, sphere, state, municipality, parent_name]) => ({
  id, name, code, cnpj: id.startsWith('pncp') ? id.slice(5, 19) : null, sphere, state, municipality, parent_name,
  superior_name: sphere === 'F' ? 'Ministério Fictício' : null,
}))

export const suppliers = [
  { id: 'cnpj:12345678000195', kind: 'company', name: 'PANIFICADORA FICTÍCIA LTDA', cnpj: '12345678000195', masked_cpf: null },
  { id: 'cnpj:12ABC34501DE35', kind: 'company', name: 'SERVIÇOS DE LIMPEZA FICTÍCIOS S.A.', cnpj: '12ABC34501DE35', masked_cpf: null },
  { id: 'cpf:***.456.789-**|maria ficticia', kind: 'person', name: 'MARIA FICTÍCIA', cnpj: null, masked_cpf: '***.456.789-**' },
  { id: 'ext:ESTRANG0001|acme ficticia gmbh', kind: 'foreign', name: 'ACME FICTÍCIA GMBH', cnpj: null, masked_cpf: null },
  { id: 'unv:99999999000100|numero errado', kind: 'unverified', name: 'NÚMERO ERRADO FICTÍCIO', cnpj: null, masked_cpf: null },
]

const objects = [
  'FICTÍCIO: aquisição de gêneros de panificação para a merenda e o refeitório do hospital, entrega parcelada',
  'FICTÍCIO: serviços continuados de limpeza, asseio e conservação predial com fornecimento de mão de obra, materiais e equipamentos, para atender às necessidades das unidades administrativas e acadêmicas',
  'FICTÍCIO: luvas de procedimento não cirúrgico, tamanho M, caixa com 100 unidades',
  'FICTÍCIO: manutenção preventiva e corretiva de elevadores',
  'FICTÍCIO: cessão onerosa de espaço para cantina',
]
const modalities = [['dispensa', 'Dispensa de Licitação'], ['pregao', 'Pregão - Registro de Preço'], ['inexigibilidade', 'Inexigibilidade de Licitação'], [null, 'Sem Informação']]

export const contracts = Array.from({ length: 47 }, (_, n) => {
  const buyer = buyers[n % buyers.length]
  const supplier = n % 9 === 8 ? null : suppliers[n % suppliers.length]
  const [modality, modality_as_stated] = modalities[n % modalities.length]
  const pncp = buyer.id.startsWith('pncp')
  return {
    id: pncp ? `pncp:${buyer.cnpj}-2-${String(n).padStart(6, '0')}/2024` : `portal-compras:15814${n}-000${n}2024`,
    source: pncp ? 'pncp' : 'portal-compras',
    number: n % 7 === 6 ? null : `${String(n + 1).padStart(5, '0')}/2024`, process: n % 3 ? `23098.00${n}540/2024-16` : null,
    object: n % 11 === 10 ? null : objects[n % objects.length], modality, modality_as_stated,
    legal_basis: modality ? 'Lei 14.133/2021, art. 75, II' : null, regime: modality ? 'lei_14133' : null, status: 'Publicado',
    buyer: { id: buyer.id, name: buyer.name, state: buyer.state },
    supplier: supplier && { id: supplier.id, name: supplier.name },
    signed_on: n % 13 === 12 ? null : day(n * 6), published_on: n % 2 ? day(n * 6 + 4) : null, starts_on: day(n * 6), ends_on: n % 4 ? day(n * 6 + 365) : null,
    value_initial: n % 10 === 9 ? null : money(2920000 + n * 123457), value_final: n % 10 === 9 ? null : money(2920000 + n * 131071), currency: 'BRL',
    income: n % 5 === 4, activity: n % 5 === 1 ? 'limpeza' : null, activity_basis: n % 5 === 1 ? 'text' : null,
    tender_id: n % 6 ? null : `portal-licitacoes:15814${n}-5-${n}2024`, provenance: provenance(n),
  }
})

const step = (pt, expression, result) => ({ label: { pt, en: pt }, expression, result })
const prices = Array.from({ length: 41 }, (_, n) => money(900 + Math.round(220 * Math.sin(n * 2.4) ** 3) + (n % 5) * 21))
const wide = Array.from({ length: 640 }, (_, n) => money(Math.round(10 ** (2 + 2.6 * Math.abs(Math.sin(n * 1.7) * Math.cos(n * 0.9))))))

const splitting = {
  flag: 'BR02', version: 3, kind: 'rule', severity: 'medium',
  title: { pt: 'Possível fracionamento de despesa', en: 'Possible splitting' },
  summary: { pt: 'Entre 12/03 e 02/04/2024 a unidade HOSPITAL ESCOLA FICTÍCIO (UASG 000001) fez 3 dispensas por valor no mesmo ramo (panificação), que somam R$ 87.600,00. O limite para o ano era R$ 59.906,02.', en: '' },
  subject: { type: 'buyer_year_activity', id: 'uasg:000001|2024|panificação' }, measure: '87600.0000', threshold: '59906.0200', unit: 'BRL', amount: '87600.0000',
  law: { regime: 'lei_14133', article: 'art. 75, II e § 1º', act: 'Decreto 11.871/2023', limit: '59906.0200', in_force: ['2024-01-01', '2024-12-31'] },
  arithmetic: [
    step('Soma das três dispensas', '29.200,00 + 29.400,00 + 29.000,00', '87600.0000'), step('Limite do ano', 'Decreto 11.871/2023', '59906.0200'),
    step('Acima do limite', '(87.600,00 − 59.906,02) / 59.906,02', '46,2 %'),
  ],
  peers: null,
  explanations: [
    { code: 'emergency', outcome: 'ruled_out', because: { pt: 'o amparo legal informado é o art. 75, II' } },
    { code: 'distinct_activity', outcome: 'possible', because: { pt: '1 dos 3 objetos não informa catálogo; foi classificado pelo texto. Se for de outro ramo, a soma cai para R$ 58.600,00' } },
    { code: 'shared_unit', outcome: 'not_checked', because: { pt: 'a fonte não diz qual setor pediu a compra' } },
  ],
  counterfactual: { pt: 'Não haveria sinal se a soma das três compras fosse menor que R$ 59.906,02 ou se uma delas fosse de outro ramo de atividade.' },
  coverage: { rows_read: 3, fields_missing: { catalog_code: 1 }, sources: ['portal-compras'] },
}
const price = (values, marked, median, pct) => ({
  flag: 'BR05', version: 1, kind: 'signal', severity: 'low',
  title: { pt: 'Preço unitário fora do padrão', en: 'Unit price out of pattern' },
  summary: { pt: `FICTÍCIO: a caixa de luvas custou ${marked.replace('.', ',').slice(0, -2)} reais; a mediana de ${values.length} compras parecidas é ${median.replace('.', ',').slice(0, -2)}.`, en: '' },
  subject: { type: 'item', id: 'portal-compras:item-3' }, measure: '5.2100', threshold: '3.5000', unit: 'z', amount: '12000.0000', law: null,
  arithmetic: [step('Logaritmo do preço deste caso', 'ln 50,00', '3.9120'), step('Distância robusta', '0,6745 × (ln 50,00 − ln 9,42) / 0,21', '5.2100'), step('Acima do terceiro quartil', '(50,00 − 11,20) × 309', '12000.0000')],
  peers: { definition: { pt: 'luvas de procedimento (CATMAT 269894), caixa com 100, Centro-Oeste, 24 meses até 31/12/2024' }, n: values.length, median, mad: '0.2100', percentile: pct, values, unit: 'BRL', marked },
  explanations: [
    { code: 'different_product', outcome: 'possible', because: { pt: 'a descrição cita “nitrílica”; o grupo mistura látex e nitrílica' } },
    { code: 'small_quantity', outcome: 'ruled_out', because: { pt: 'a quantidade (309) está acima da mediana do grupo' } },
  ],
  counterfactual: { pt: 'Não haveria sinal com preço até R$ 18,40 a caixa.' },
  coverage: { rows_read: values.length, fields_missing: {}, sources: ['portal-compras'] },
})
const sanctioned = {
  ...splitting, flag: 'BR01', version: 1, severity: 'high', title: { pt: 'Contrato com fornecedor impedido', en: '' },
  summary: { pt: 'FICTÍCIO: o contrato foi assinado em 09/04/2024, dentro de um impedimento de licitar e contratar que valia de 01/02/2024 a 01/02/2026 na esfera federal.', en: '' },
  subject: { type: 'contract', id: contracts[1].id }, measure: '68.0000', threshold: '0.0000', unit: 'days', amount: contracts[1].value_final,
  law: { regime: 'lei_14133', article: 'art. 156, III e § 4º', act: null, limit: null, in_force: ['2021-04-01', null] },
  arithmetic: [step('Dias entre o início do impedimento e a assinatura', '09/04/2024 − 01/02/2024', '68')], coverage: { rows_read: 2, fields_missing: {}, sources: ['portal-compras', 'ceis'] },
  explanations: [{ code: 'suspended_by_court', outcome: 'not_checked', because: { pt: 'o cadastro não traz decisões judiciais que suspendam a sanção' } }],
  counterfactual: { pt: 'Não haveria sinal se a assinatura fosse anterior a 01/02/2024.' },
}

const kinds = [sanctioned, splitting, price(prices, '50.0000', '9.4200', '99.1'), price(wide, '9850.5000', '120.3400', '99.8')]
export const findings = Array.from({ length: 31 }, (_, n) => {
  const kind = kinds[n % kinds.length]
  const contract = contracts[n % 12]
  const id = `fnd_ficticio${String(n).padStart(3, '0')}`
  return {
    id, ...kind, state: n % 10 === 9 ? 'withdrawn' : 'open', currency: 'BRL', buyer: contract.buyer, supplier: contract.supplier,
    contract_ids: contracts.slice(n % 12, (n % 12) + (kind === splitting ? 3 : 1)).map((c) => c.id),
    as_of: '2024-12-31', known_at: '2026-11-23T10:02:11-03:00', links: { evidence: `/api/v1/findings/${id}/evidence`, page: `/achados/${id}` },
  }
}).sort((a, b) => 'high medium low'.indexOf(a.severity) - 'high medium low'.indexOf(b.severity))

const flag = (code, kind, severity, name, summary, coverage, more = {}) => ({
  code, version: 1, kind, agent: 'Zumbi', severity, ocp_codes: ['R017'], name: { pt: name, en: name }, summary: { pt: summary, en: summary },
  formula: { pt: 'z = 0,6745 × (ln p − mediana) / MAD; há sinal quando z > 3,5 e o grupo tem ao menos 10 casos.' },
  legal_basis: ['Lei 14.133/2021, art. 23'], needs: ['items.unit_price', 'items.catalog_code', 'items.unit'],
  parameters: [
    { name: 'z_min', default: '3.5', min: '2', max: '10', unit: 'z', description: { pt: 'Distância robusta a partir da qual o preço está fora do padrão' } },
    { name: 'peers_min', default: '10', min: '5', max: '100', unit: null, description: { pt: 'Menor grupo com que se compara' } },
  ],
  explanations: [
    { code: 'different_product', pt: 'o produto é diferente dos outros do grupo' }, { code: 'small_quantity', pt: 'a quantidade é pequena e o frete pesa' },
    { code: 'emergency', pt: 'a compra foi emergencial' }, { code: 'distinct_activity', pt: 'as compras são de ramos diferentes' },
    { code: 'shared_unit', pt: 'setores diferentes compram pela mesma unidade' }, { code: 'suspended_by_court', pt: 'a sanção estava suspensa por decisão judicial' },
  ],
  counterfactual: { pt: 'Não há sinal quando o preço fica abaixo do limite do grupo.' }, coverage,
  sql: "-- FICTÍCIO\nselect i.id as subject_id,\n       case when i.unit_price is null then 'not_computable'\n            when z > $z_min then 'hit' else 'clear' end as outcome\nfrom   items i\nwhere  i.contract_id is not null", ...more,
})
export const flags = [
  flag('BR01', 'rule', 'high', 'Fornecedor impedido de contratar', 'Contrato assinado enquanto uma sanção que impede contratar estava em vigor.', { hit: 8, clear: 18230, not_computable: { 'sanctions.scope_as_stated': 41 } }),
  flag('BR02', 'rule', 'medium', 'Possível fracionamento de despesa', 'Dispensas por valor que, somadas no ano e no ramo, passam do limite da lei.', { hit: 8, clear: 512, not_computable: { 'contracts.legal_basis': 220, activity: 35 } }),
  flag('BR05', 'signal', 'low', 'Preço unitário fora do padrão', 'Preço muito acima do de compras parecidas do mesmo item.', { hit: 15, clear: 9120, not_computable: { 'items.unit': 3021, peers: 1204 } }),
  flag('BR06', 'signal', 'medium', 'Um só participante', 'Disputa em que só um concorrente apareceu.', { hit: 0, clear: 0, not_computable: { bids: 6120 } }),
  flag('BR07', 'rule', 'medium', 'Prazo curto para propostas', 'Menos dias úteis entre a publicação e as propostas do que a lei exige.', { hit: 0, clear: 0, not_computable: {} }),
]

export const sources = [
  ['portal-compras', 'contracts', 18271, '2024-01-02', '2024-12-31', 12, { bad_money: 3, wrong_columns: 11 }], ['portal-compras', 'items', 60412, '2024-01-02', '2024-12-31', 12, {}],
  ['pncp', 'contracts', 5120, '2024-03-01', '2024-03-31', 11, { bad_date: 1 }], ['ceis', 'sanctions', 21877, '1990-05-01', '2024-06-30', 1, {}],
].map(([source, table, rows, from, to, files, quarantined]) => ({ source, table, rows, period: { from, to }, files, last_ingest_at: '2026-11-23T10:02:11-03:00', quarantined }))

export const items = (n) => Array.from({ length: n % 4 === 3 ? 0 : 3 }, (_, i) => ({
  id: `item-${n}-${i}`, description: ['FICTÍCIO: pão francês, 50 g', 'FICTÍCIO: luva de procedimento nitrílica, caixa com 100 unidades', null][i], catalog_code: i ? '269894' : null,
  unit: i === 2 ? null : 'CX', unit_basis: i ? 'text' : 'stated', quantity: '309.0000', unit_price: i === 1 ? '0.1234' : '50.0000', total: i === 2 ? null : '15450.0000', provenance: provenance(n + i, '202403_ItemCompra.csv'),
}))
export const amendments = (n) => (n % 3 ? [] : [
  { id: `am-${n}`, number: '1', kind: 'amendment', signed_on: day(n + 90), value: '-1250.5000', description: 'FICTÍCIO: supressão de quantitativos' },
  { id: `am-${n}b`, number: null, kind: 'apostille', signed_on: null, value: null, description: null },
])
export const versions = (n) => (n % 2 ? [] : [{ row_hash: hash(n + 9), valid_from: '2026-10-01T08:00:00-03:00', valid_to: '2026-11-23T10:02:11-03:00', file: '202402_Compras.csv', line: 771 }])
export const sanctions = [{
  id: 'ceis:1', register: 'CEIS', kind: 'impedimento', bars_contracting: true, starts_on: '2024-02-01', ends_on: '2026-02-01', body: 'MINISTÉRIO FICTÍCIO', scope_as_stated: 'Na esfera e no poder do órgão sancionador',
  legal_basis: 'LEI 14133 - ART. 156, III', provenance: provenance(5, '20240630_CEIS.csv'),
}]
export const evidenceRow = (n, id) => ({
  table: 'contracts', id, file: '202403_Compras.csv', file_sha256: hash(n + 3, 64), line: 18204 + n * 187, row_hash: hash(n),
  fields: { object: 'FICTÍCIO: pão francês', value_final: '29200.0000', signed_on: day(n), catalog_code: null },
})
export { hash }
