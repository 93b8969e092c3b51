import { describe, expect, it } from 'vitest'
import { queryString, resourcePath } from './api'
import { matchPath, to, withQuery } from './route'
import { field, isPrivate } from './words'

describe('addresses', () => {
  it.each(['portal-compras:158143-00012024', 'pncp:00394445000166-1-000001/2024', 'cpf:***.456.789-**|jose da silva', 'a?b#c%d', 'x~1f'])(
    'carries the id %s there and back',
    (id) => {
      expect(to.contract(id).split('/')).toHaveLength(3)
      expect(matchPath('/contratos/:id', to.contract(id))).toEqual({ id })
      expect(resourcePath('contracts', id).split('/')).toHaveLength(5)
    },
  )
  it('matches whole paths only', () => {
    expect(matchPath('/contratos', '/contratos/')).toEqual({})
    expect(matchPath('/contratos', '/contratos/1')).toBeNull()
    expect(matchPath('/contratos/:id', '/contratos/')).toBeNull()
    expect(matchPath('/', '/')).toEqual({})
    expect(matchPath('/contratos/:id', '/contratos/%E0%A4%A')).toBeNull()
  })
  it('leaves empty filters out', () => {
    expect(withQuery('/achados', { flag: 'BR05', severity: '' })).toBe('/achados?flag=BR05')
    expect(queryString({ q: 'pão & água', cursor: null, limit: 20 })).toBe('?q=p%C3%A3o%20%26%20%C3%A1gua&limit=20')
  })
})

describe('words', () => {
  it('names fields as a person would', () => {
    expect(field('items.unit_price')).toBe('preço unitário do item')
    expect(field('catalog_code')).toBe('código de catálogo')
    expect(field('odd_thing')).toBe('odd thing')
  })
  it('keeps persons out of search engines', () => {
    expect(isPrivate('cpf:***.456.789-**|x')).toBe(true)
    expect(isPrivate('cnpj:12345678000195')).toBe(false)
    expect(isPrivate('x', 'person')).toBe(true)
    expect(isPrivate('x', 'company')).toBe(false)
  })
})
