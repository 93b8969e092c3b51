// A small router over the browser's history: where we are, how to go elsewhere, and where the reader had scrolled to.

const OUTSIDE = /^\/(api|docs|openapi\.json|health|metrics|graphql)(\/|$)/

/** Where we are. Pages read it and are drawn again when it changes. */
export const place = $state({ path: location.pathname, search: location.search })

/** One filter of the address, empty when absent. */
export function query(name: string): string {
  return new URLSearchParams(place.search).get(name) ?? ''
}

/** Every filter named, as an object. */
export function filters<K extends string>(...names: K[]): Record<K, string> {
  const given = new URLSearchParams(place.search)
  return Object.fromEntries(names.map((name) => [name, given.get(name) ?? ''])) as Record<K, string>
}

function arrive(): void {
  place.path = location.pathname
  place.search = location.search
}

function rememberScroll(): void {
  history.replaceState({ ...(history.state as object | null), y: scrollY }, '')
}

/** Goes to an address of this page. */
export function go(address: string): void {
  if (address === location.pathname + location.search) return
  const samePage = new URL(address, location.origin).pathname === location.pathname
  rememberScroll()
  history.pushState({ y: 0 }, '', address)
  arrive()
  if (!samePage) {
    scrollTo(0, 0)
    focusMain()
  }
}

function focusMain(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true }))
}

/** Scrolls back once the content is tall enough, for at most a second. */
function scrollBack(y: number): void {
  const until = performance.now() + 1000
  const attempt = () => {
    scrollTo(0, y)
    if (scrollY < y - 2 && performance.now() < until) requestAnimationFrame(attempt)
  }
  requestAnimationFrame(attempt)
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest<HTMLAnchorElement>('a[href]')
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (OUTSIDE.test(link.pathname)) return
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return
  event.preventDefault()
  go(link.pathname + link.search)
}

export function startRouter(): void {
  history.scrollRestoration = 'manual'
  addEventListener('click', onClick)
  addEventListener('pagehide', rememberScroll)
  addEventListener('popstate', (event) => {
    arrive()
    scrollBack((event.state as { y?: number } | null)?.y ?? 0)
  })
  const before = (history.state as { y?: number } | null)?.y
  if (before) scrollBack(before)
}
