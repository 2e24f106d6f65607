import { MemoryEngine, StoreDamagedError } from '@millrace/streams'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StagedState, type StateStage } from './source-state.ts'

const mark = { topicId: 'id', offset: 1, atMs: 0 }
const keys = fc.constantFrom('a', 'aa', 'ab', 'b', 'ÿ', 'ÿÿ')
const prefixes = fc.constantFrom('', 'a', 'aa', 'ÿ', 'c')
const action = fc.oneof(
  fc.record({ set: keys, value: fc.option(fc.nat(9), { nil: null }) }),
  fc.constant('take' as const),
  fc.constant('apply' as const),
  fc.record({ scan: prefixes })
)
const bytes = (text: string) => Buffer.from(text, 'latin1')

/** An engine that outlives the state above it. */
function lasting(): MemoryEngine {
  return new MemoryEngine()
}

async function scanned(state: StagedState, prefix: string): Promise<(readonly [string, string])[]> {
  const entries: [string, string][] = []
  for await (const [key, value] of state.scan(bytes(prefix))) entries.push([key.toString('latin1'), value.toString()])
  return entries
}

describe('the state of a source', () => {
  it('reads as a map, whatever is staged and applied; the engine has what was applied', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const engine = lasting()
        const state = new StagedState(async () => engine)
        const now = new Map<string, string>()
        const applied = new Map<string, string>()
        const stages: StateStage[] = []
        for (const one of actions) {
          if (one === 'take') stages.push(state.take())
          else if (one === 'apply') {
            const stage = stages.shift()
            if (stage === undefined) continue
            await state.apply(stage.changes, stage.number, mark)
            for (const [key, value] of stage.changes) {
              if (value === null) applied.delete(key)
              else applied.set(key, value.toString())
            }
          } else if ('set' in one) {
            state.set(bytes(one.set), one.value === null ? null : Buffer.from(String(one.value)))
            if (one.value === null) now.delete(one.set)
            else now.set(one.set, String(one.value))
          } else expect(await scanned(state, one.scan)).toEqual(sorted(now, one.scan))
        }
        for (const key of ['a', 'aa', 'ab', 'b', 'ÿ', 'ÿÿ'])
          expect(state.get(bytes(key))?.toString()).toBe(now.get(key))
        const again = new StagedState(async () => engine)
        await again.load()
        expect(await scanned(again, '')).toEqual(sorted(applied, ''))
      })
    )
  })

  it('opens no engine before there is something to keep', async () => {
    let opened = 0
    const state = new StagedState(async () => {
      opened++
      return lasting()
    })
    expect(state.get(bytes('a'))).toBeUndefined()
    expect(await scanned(state, '')).toEqual([])
    expect(opened).toBe(0)
    state.set(bytes('a'), Buffer.from('1'))
    const stage = state.take()
    await state.apply(stage.changes, stage.number, mark)
    expect([opened, state.mark()]).toEqual([1, mark])
  })

  it('does not trust what the engine returns', async () => {
    const engine = lasting()
    const state = new StagedState(async () => engine)
    state.set(bytes('a'), Buffer.from('one'))
    const { changes, number } = state.take()
    await state.apply(changes, number, mark)
    await engine.write((take) => take(Buffer.from('\u0002a', 'latin1'), Buffer.from('two and more')))
    expect(() => state.get(bytes('a'))).toThrow(StoreDamagedError)
  })
})

function sorted(map: ReadonlyMap<string, string>, prefix: string): (readonly [string, string])[] {
  return [...map].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
}
