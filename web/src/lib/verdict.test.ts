import { describe, expect, it } from 'vitest'
import { Problem } from './api'
import { refusal, standing } from './verdict'

describe('a verdict', () => {
  it('is read from a finding, from a summary, and where there is none', () => {
    const whole = { verdict: 'dismissed', reason: 'r', who: 'w', when: '2026-11-25T10:00:00-03:00', changed_since: [] }
    expect([standing(whole), standing('confirmed'), standing(null), standing(undefined)]).toEqual(['dismissed', 'confirmed', null, null])
  })
  it('that only the operator may give is refused with where it can be given', () => {
    expect(refusal(new Problem(403, 'Forbidden', 'only a program on this machine', null))).toContain('localhost')
    expect(refusal(new Problem(400, 'Invalid', 'reason: must not be empty', 'reason'))).toBe('reason: must not be empty')
  })
})
