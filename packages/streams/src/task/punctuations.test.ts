import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { PunctuationClock } from '../graph/process-context.ts'
import { Punctuations } from './punctuations.ts'
import { StreamTime } from './stream-time.ts'

/** One life of a task with two schedules by each clock; `fired` collects which ran at which times. */
function life(saved: Buffer | undefined, nowMs: number, fired: string[]) {
  const time = new StreamTime()
  const punctuations = new Punctuations(time, () => nowMs)
  for (const clock of ['stream-time', 'wall-clock'] as const) {
    for (const everyMs of [10, 25]) {
      punctuations.schedule({
        node: 'node',
        clock,
        everyMs,
        run: (atMs) => {
          fired.push(`${clock} ${everyMs} at ${atMs}`)
        }
      })
    }
  }
  if (saved) time.restore(saved)
  punctuations.begin()
  return {
    advance: (clock: PunctuationClock, toMs: number) => punctuations.fire(clock, toMs, (request) => request.run(toMs)),
    save: () => time.encode()
  }
}

it('goes on after a restart where it was, whatever the clocks do', () => {
  const steps = fc.array(
    fc.record({ byMs: fc.nat(60), clock: fc.constantFrom('stream-time', 'wall-clock'), crash: fc.boolean() }),
    { maxLength: 30 }
  )
  fc.assert(
    fc.property(steps, (moves) => {
      const run = (crashes: boolean): string[] => {
        const fired: string[] = []
        const clocks = { 'stream-time': 0, 'wall-clock': 1_000 }
        let current = life(undefined, clocks['wall-clock'], fired)
        for (const { byMs, clock, crash } of moves) {
          clocks[clock] += byMs
          if (crash && crashes) current = life(current.save(), clocks['wall-clock'], fired)
          current.advance(clock, clocks[clock])
        }
        return fired
      }
      expect(run(true)).toEqual(run(false))
    })
  )
})

it('fires each schedule once per advance, on its own grid', () => {
  const fired: string[] = []
  const task = life(undefined, 1_000, fired)
  for (const toMs of [3, 9, 47, 50, 51]) task.advance('stream-time', toMs)
  task.advance('wall-clock', 1_009)
  task.advance('wall-clock', 1_052)
  expect(fired).toEqual([
    'stream-time 10 at 3',
    'stream-time 25 at 3',
    'stream-time 10 at 47',
    'stream-time 25 at 47',
    'stream-time 10 at 50',
    'stream-time 25 at 50',
    'wall-clock 10 at 1052',
    'wall-clock 25 at 1052'
  ])
})
