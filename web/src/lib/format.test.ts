import { describe, expect, it } from 'vitest'
import {
  cnpj, cnpjTyped, count, date, dateTime, decimal, measure, money, moneyTyped, percent, period, plural, result, share, text, unfilled,
} from './format'

const nbsp = (s: string) => s.replaceAll('\u00a0', ' ')

describe('money', () => {
  it.each([
    ['87600.0000', 'R$ 87.600,00'],
    ['0.0000', 'R$ 0,00'],
    ['-0.0000', 'R$ 0,00'],
    ['-1234567.8900', '−R$ 1.234.567,89'],
    ['0.1234', 'R$ 0,1234'],
    ['0.1230', 'R$ 0,1230'],
    ['0.1200', 'R$ 0,12'],
    ['10', 'R$ 10,00'],
    ['10.5', 'R$ 10,50'],
    ['9007199254740993.0100', 'R$ 9.007.199.254.740.993,01'],
    ['99999999999999999999.9999', 'R$ 99.999.999.999.999.999.999,9999'],
  ])('%s is written %s, exactly', (given, written) => expect(nbsp(money(given))).toBe(written))

  it('says when the source did not state it', () => {
    expect(money(null)).toBe('não informado')
    expect(money(undefined)).toBe('não informado')
  })
  it('names other currencies', () => expect(nbsp(money('5.0000', 'USD'))).toBe('USD 5,00'))
  it('leaves what is no decimal as it came', () => expect(money('n/d')).toBe('n/d'))
})

describe('decimals and measures', () => {
  it('drops trailing zeros and uses the comma', () => expect(decimal('5.2100')).toBe('5,21'))
  it('leaves open what only a case fills in', () => expect(unfilled('até {ev_price:brl} ou {peer_n} itens')).toBe('até […] ou […] itens'))
  it('counts in Portuguese', () => {
    expect([measure('3.0000', 'contracts'), measure('1', 'waivers'), measure('2.5', 'times'), nbsp(measure('0.005', 'share')), measure('0.01', 'p')])
      .toEqual(['3 contratos', '1 dispensa', '2,5 vezes', '0,5 %', 'p = 0,01'])
  })
  it('says shares to a tenth of a percent', () => expect([0.8, 0.4902, 0.9433, 1].map((n) => nbsp(share(n)))).toEqual(['80 %', '49 %', '94,3 %', '100 %']))
  it('does not group a year', () => expect(decimal('2024')).toBe('2024'))
  it('groups five digits', () => expect(decimal('18204')).toBe('18.204'))
  it('groups counts', () => expect(count(2117)).toBe('2.117'))
  it('moves the decimal sign for shares', () => {
    expect(nbsp(percent('0.4600'))).toBe('46 %')
    expect(nbsp(percent('0.0050'))).toBe('0,5 %')
    expect(nbsp(percent('1.2345'))).toBe('123,45 %')
    expect(nbsp(percent('0.9'))).toBe('90 %')
    expect(nbsp(percent('-0.05'))).toBe('−5 %')
  })
  it('speaks the unit', () => {
    expect(nbsp(measure('5.2100', 'z'))).toBe('5,21 desvios robustos')
    expect(nbsp(measure('87600.0000', 'BRL'))).toBe('R$ 87.600,00')
    expect(measure('1.0000', 'days')).toBe('1 dia')
    expect(measure('12.0000', 'days')).toBe('12 dias')
    expect(nbsp(measure('0.9200', 'jaccard'))).toBe('92 % de semelhança')
    expect(measure('3.0000', 'bids')).toBe('3 bids')
    expect(measure(null, 'z')).toBe('não informado')
  })
  it('writes results of arithmetic', () => {
    expect(result('87600.0000')).toBe('87.600,00')
    expect(result('5.17')).toBe('5,17')
    expect(result('46 % acima')).toBe('46 % acima')
  })
})

describe('dates', () => {
  it('cuts, never shifts', () => {
    expect(date('2024-03-12')).toBe('12/03/2024')
    expect(dateTime('2026-11-23T23:59:11-03:00')).toBe('23/11/2026, 23:59')
    expect(date(null)).toBe('não informado')
    expect(date('março')).toBe('março')
  })
  it('says open ends in words', () => {
    expect(period('2024-01-01', null)).toBe('desde 01/01/2024')
    expect(period(null, '2024-01-01')).toBe('até 01/01/2024')
    expect(period('2024-01-01', '2024-12-31')).toBe('de 01/01/2024 a 31/12/2024')
    expect(period(null, null)).toBe('não informado')
  })
})

describe('what people type', () => {
  it('knows a CNPJ in any punctuation, with letters too', () => {
    expect(cnpjTyped('12.345.678/0001-95')).toBe('12345678000195')
    expect(cnpjTyped('12abc34501de35')).toBe('12ABC34501DE35')
    expect(cnpjTyped('SUPRIMENTOS124')).toBe(null)
    expect(cnpjTyped('12.ABC.345/0001-35')).toBe('12ABC345000135')
    expect(cnpjTyped('limpeza predial')).toBe(null)
    expect(cnpj('12ABC345000135')).toBe('12.ABC.345/0001-35')
  })
  it('reads amounts as Brazilians write them', () => {
    expect(moneyTyped('1.234,56')).toBe('1234.56')
    expect(moneyTyped('R$ 10000')).toBe('10000')
    expect(moneyTyped('1.000')).toBe('1000')
    expect(moneyTyped('1234.5')).toBe('1234.5')
    expect(moneyTyped('mil')).toBe(null)
    expect(moneyTyped('1,2,3')).toBe(null)
  })
})

describe('words', () => {
  it('prefers Portuguese', () => {
    expect(text({ pt: 'sim', en: 'yes' })).toBe('sim')
    expect(text('cru')).toBe('cru')
    expect(text('somam R$ 87,00')).toBe('somam R$\u00a087,00')
    expect(text(null)).toBe('')
  })
  it('counts in the plural', () => {
    expect(plural(1, 'contrato', 'contratos')).toBe('1 contrato')
    expect(plural(0, 'contrato', 'contratos')).toBe('0 contratos')
  })
})
