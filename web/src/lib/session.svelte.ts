// Who has signed in. Kept in this page's memory alone: another tab, or a reload, begins without it, and no script of another page can find it.

import { api, Problem, signWith } from './api'
import type { SignedIn } from './types'

type Session = { name: string; role: string }

let held: { tokens: SignedIn; until: number } | null = null
let refreshing: Promise<string | null> | null = null

export const session = $state<{ who: Session | null }>({ who: null })

function keep(tokens: SignedIn) {
  // A little before it runs out, so that it does not on its way.
  held = { tokens, until: Date.now() + (tokens.expires_in - 20) * 1000 }
  session.who = { name: tokens.name, role: tokens.role }
}

function forget() {
  held = null
  session.who = null
}

export async function signIn(name: string, password: string): Promise<void> {
  keep(await api.login(name, password))
}

export async function signOut(): Promise<void> {
  try {
    if (held) await api.logout()
  } finally {
    forget()
  }
}

/** The access token, renewed when it is about to run out. A refresh token is good once, so only one renewal goes at a time. */
async function token(): Promise<string | null> {
  if (!held) return null
  if (Date.now() < held.until) return held.tokens.access_token
  refreshing ??= api.refresh(held.tokens.refresh_token)
    .then((tokens) => {
      keep(tokens)
      return tokens.access_token
    })
    .catch((error: unknown) => {
      if (error instanceof Problem && error.status === 401) forget()
      throw error
    })
    .finally(() => { refreshing = null })
  return refreshing
}

signWith(token)
