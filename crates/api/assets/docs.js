// Shows /openapi.json: routes with their parameters and answers, then the shapes they are made of.
'use strict'

/** An element with text or children; text is never read as HTML. */
function make(tag, content, attributes = {}) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  for (const child of [content].flat()) if (child !== undefined && child !== null) element.append(child)
  return element
}

/** A description: `code` between backticks, a paragraph for each blank line. */
function prose(text) {
  return (text ?? '').split(/\n\s*\n/).filter(Boolean).map((paragraph) =>
    make('p', paragraph.split('`').map((part, at) => (at % 2 ? make('code', part) : part))))
}

const nameOf = (reference) => reference.split('/').pop()

/** A schema in one line, with links to the shapes it names. */
function typeOf(schema) {
  if (!schema) return ['']
  if (schema.$ref) return [make('a', nameOf(schema.$ref), { href: `#shape-${nameOf(schema.$ref)}` })]
  const either = schema.oneOf ?? schema.anyOf
  if (either) return either.flatMap((one, at) => (at ? [' | ', ...typeOf(one)] : typeOf(one)))
  if (schema.enum) return [make('code', schema.enum.join(' | '))]
  if (schema.allOf) return schema.allOf.flatMap((one, at) => (at ? [' & ', ...typeOf(one)] : typeOf(one)))
  const type = [schema.type ?? 'any'].flat()
  if (type.includes('array')) return ['[ ', ...typeOf(schema.items), ' ]', type.includes('null') ? ' | null' : '']
  return [type.join(' | '), schema.format ? ` (${schema.format})` : '']
}

function table(heads, rows) {
  const head = make('thead', make('tr', heads.map((text) => make('th', text))))
  const body = make('tbody', rows.map((cells) => make('tr', cells.map((cell) => make('td', cell)))))
  return make('div', make('table', [head, body]), { class: 'scroll' })
}

function operation(path, method, said) {
  const parameters = (said.parameters ?? []).map((one) => [
    make('code', one.name), one.in, typeOf(one.schema), prose(one.description),
  ])
  const answers = Object.entries(said.responses ?? {}).map(([status, answer]) => [
    status,
    Object.entries(answer.content ?? {}).flatMap(([kind, content]) => [make('div', make('code', kind)), ...typeOf(content.schema)]),
    prose(answer.description),
  ])
  const summary = make('summary', [
    make('span', method.toUpperCase(), { class: 'method' }),
    make('span', path, { class: 'path' }),
    make('span', said.summary ?? '', { class: 'says' }),
  ])
  return make('details', [summary, make('div', [
    ...prose(said.description),
    parameters.length ? table(['parameter', 'in', 'type', 'meaning'], parameters) : null,
    table(['status', 'answer', 'when'], answers),
  ])], { id: said.operationId ?? '' })
}

/** The fields of a shape, those of the shapes it is put together from among them. */
function fieldsOf(schema) {
  const own = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    make('code', name), typeOf(field), prose(field.description),
  ])
  return (schema.allOf ?? []).flatMap((part) => (part.$ref
    ? [[ '…', typeOf(part), prose('all fields of this shape') ]]
    : fieldsOf(part))).concat(own)
}

function shape(name, schema) {
  const fields = fieldsOf(schema)
  const body = fields.length ? table(['field', 'type', 'meaning'], fields) : make('p', typeOf(schema))
  return make('details', [
    make('summary', make('span', name, { class: 'path' })),
    make('div', [...prose(schema.description), body]),
  ], { id: `shape-${name}` })
}

function show(api) {
  const byTag = new Map((api.tags ?? []).map((tag) => [tag.name, { said: tag.description, routes: [] }]))
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, said] of Object.entries(methods)) {
      const tag = said.tags?.[0] ?? 'other'
      if (!byTag.has(tag)) byTag.set(tag, { said: '', routes: [] })
      byTag.get(tag).routes.push(operation(path, method, said))
    }
  }
  const sections = [...byTag].map(([name, { said, routes }]) =>
    make('section', [make('h2', name), ...prose(said), ...routes]))
  const shapes = Object.entries(api.components?.schemas ?? {}).map(([name, schema]) => shape(name, schema))
  document.getElementById('docs').replaceChildren(
    make('h1', `${api.info.title} · API ${api.info.version}`),
    ...prose(api.info.description),
    make('p', make('a', '/openapi.json', { href: '/openapi.json' })),
    ...sections,
    make('section', [make('h2', 'shapes'), ...shapes]),
  )
  openTarget()
}

/** A link to a folded part opens it. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (target instanceof HTMLDetailsElement) {
    target.open = true
    target.scrollIntoView()
  }
}

addEventListener('hashchange', openTarget)
fetch('/openapi.json')
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`HTTP ${answer.status}`))))
  .then(show)
  .catch((cause) => document.getElementById('docs').append(make('p', String(cause))))
