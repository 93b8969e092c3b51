// A list that grows by pages, kept by address so that going back finds it as it was.

import type { Page } from './types'

export type FetchPage<T> = (cursor: string | null, signal: AbortSignal) => Promise<Page<T>>

interface Held<T> {
  rows: T[]
  next: string | null
  at: number
}

const KEPT_MAX = 12
const FRESH_MS = 300_000
const kept = new Map<string, Held<unknown>>()

export class Listing<T> {
  rows = $state.raw<T[]>([])
  next = $state<string | null>(null)
  loading = $state(false)
  error = $state.raw<unknown>(null)
  started = $state(false)
  #key = ''
  #fetch: FetchPage<T> | null = null
  #abort: AbortController | null = null

  /** Starts a list anew under its address, or finds the one that was left there. */
  open(key: string, fetch: FetchPage<T>): void {
    this.#abort?.abort()
    this.#key = key
    this.#fetch = fetch
    this.error = null
    const held = kept.get(key) as Held<T> | undefined
    if (held && Date.now() - held.at < FRESH_MS) {
      this.rows = held.rows
      this.next = held.next
      this.loading = false
      this.started = true
      return
    }
    this.started = false
    this.rows = []
    this.next = null
    void this.more()
  }

  /** Fetches the next page. */
  async more(): Promise<void> {
    if (!this.#fetch) return
    const abort = new AbortController()
    this.#abort = abort
    this.loading = true
    this.error = null
    try {
      const answer = await this.#fetch(this.started ? this.next : null, abort.signal)
      if (abort.signal.aborted) return
      this.rows = [...this.rows, ...answer.data]
      this.next = answer.page.next_cursor
      this.started = true
      this.#keep()
    } catch (cause) {
      if (abort.signal.aborted) return
      this.error = cause
    }
    this.loading = false
  }

  close(): void {
    this.#abort?.abort()
  }

  #keep(): void {
    kept.delete(this.#key)
    if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value as string)
    kept.set(this.#key, { rows: this.rows, next: this.next, at: Date.now() })
  }
}
