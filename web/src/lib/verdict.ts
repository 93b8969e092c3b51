// Verdicts in words, and what to say when one is not taken.

import { Problem } from './api'
import type { Verdict } from './types'

const CONCLUSIONS: Record<string, string> = { confirmed: 'Confirmado', dismissed: 'Descartado' }

export const VERDICT_OPTIONS: [string, string][] = [['confirmed', 'confirmados'], ['dismissed', 'descartados'], ['none', 'sem veredito']]

export function conclusion(code: string): string {
  return CONCLUSIONS[code] ?? code
}

/** The verdict that stands, of a finding (which has it whole) or of its summary (which has its code). */
export function standing(verdict: Verdict | string | null | undefined): string | null {
  return (typeof verdict === 'string' ? verdict : verdict?.verdict) ?? null
}

/** Why a verdict was not taken, said plainly. */
export function refusal(error: unknown): string {
  if (error instanceof Problem && error.status === 401) return 'Para dar um veredito é preciso entrar com uma conta.'
  if (error instanceof Problem && error.status === 403) {
    return 'Só dá veredito quem entra com uma conta de analista; enquanto não há conta nenhuma, quem abre esta página na própria máquina em que o programa roda, por 127.0.0.1 ou localhost.'
  }
  return error instanceof Error ? error.message : String(error)
}

/** Why someone could not sign in, said plainly. */
export function signInRefusal(error: unknown): string {
  if (error instanceof Problem && error.status === 401) return 'Conta ou senha errada.'
  if (error instanceof Problem && error.status === 429) return 'Foram tentativas demais. Espere quinze minutos e tente de novo.'
  return error instanceof Error ? error.message : String(error)
}
