// Addresses: made and matched. Ids contain `:`, `/`, `|` and `*`, so a segment is always encoded.

export type RouteParams = Record<string, string>

/** The parameters of a path under a pattern such as `/achados/:id`, or null when it does not fit. */
export function matchPath(pattern: string, path: string): RouteParams | null {
  const wanted = pattern.split('/')
  const given = path.replace(/(.)\/$/, '$1').split('/')
  if (wanted.length !== given.length) return null
  const params: RouteParams = {}
  for (const [at, part] of wanted.entries()) {
    const segment = given[at] ?? ''
    if (!part.startsWith(':')) {
      if (part !== segment) return null
      continue
    }
    try {
      params[part.slice(1)] = decodeURIComponent(segment)
    } catch {
      return null
    }
    if (!segment) return null
  }
  return params
}

const page = (section: string) => (id: string) => `/${section}/${encodeURIComponent(id)}`

export const to = {
  finding: page('achados'),
  contract: page('contratos'),
  supplier: page('fornecedores'),
  buyer: page('orgaos'),
  flag: page('sinais'),
}

/** A page's address with the filters that are set. */
export function withQuery(path: string, params: Record<string, string | null | undefined>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value) query.set(name, value)
  const written = query.toString()
  return written ? `${path}?${written}` : path
}
