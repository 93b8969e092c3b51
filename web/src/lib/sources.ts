// The sources board: rows of (source, table) gathered by source.

import type { Source } from './types'

export interface SourceBoard {
  source: string
  tables: Source[]
  rows: number
  quarantined: number
  lastIngestAt: string | null
  from: string | null
  to: string | null
}

const quarantinedIn = (row: Source) => Object.values(row.quarantined ?? {}).reduce((sum, n) => sum + n, 0)

/** Dates of one form compare as text. */
const least = (a: string | null, b: string | null) => (a === null ? b : b === null || a < b ? a : b)
const most = (a: string | null, b: string | null) => (a === null ? b : b === null || a > b ? a : b)

export function boards(rows: Source[]): SourceBoard[] {
  const bySource = new Map<string, SourceBoard>()
  for (const row of rows) {
    const board = bySource.get(row.source) ?? {
      source: row.source, tables: [], rows: 0, quarantined: 0, lastIngestAt: null, from: null, to: null,
    }
    board.tables.push(row)
    board.rows += row.rows
    board.quarantined += quarantinedIn(row)
    board.lastIngestAt = most(board.lastIngestAt, row.last_ingest_at)
    board.from = least(board.from, row.period?.from ?? null)
    board.to = most(board.to, row.period?.to ?? null)
    bySource.set(row.source, board)
  }
  return [...bySource.values()].sort((a, b) => b.rows - a.rows)
}
