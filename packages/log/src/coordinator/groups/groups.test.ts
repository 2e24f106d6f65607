import { describe, expect, it } from 'vitest'
import type { GroupConfig } from './group.ts'
import { GroupScript } from './group-script.ts'

/** Runs a table of `request | outcome` lines; an outcome ends with the group's state. */
function play(table: string, config: Partial<GroupConfig> = {}): GroupScript {
  const script = new GroupScript(config)
  const lines = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const played = lines.map(([request]) => `${request} | ${script.run(request)}`)
  expect(played).toEqual(lines.map(([request, outcome]) => `${request} | ${outcome}`))
  return script
}

describe('a group of the classic protocol', () => {
  it('gives a lone member all it needs at once', () => {
    play(`
      join a          | a: MEMBER_ID_REQUIRED; Empty
      join a          | a: g1 range leads a; CompletingRebalance
      heartbeat a g1  | NONE; CompletingRebalance
      sync a g1 a=x   | persist; a: assigned x; Stable
      heartbeat a g1  | NONE; Stable
      leave a         | NONE; persist; Empty
      heartbeat a g1  | UNKNOWN_MEMBER_ID; Empty
    `)
  })

  it('rebalances when a second member comes, and hands out what the leader decides', () => {
    play(`
      join a v=3         | a: g1 range leads a; CompletingRebalance
      sync a g1 a=x      | persist; a: assigned x; Stable
      join b v=3         | PreparingRebalance
      heartbeat a g1     | REBALANCE_IN_PROGRESS; PreparingRebalance
      join a             | a: g2 range leads a+b2; b: g2 range; CompletingRebalance
      sync b g2          | CompletingRebalance
      sync a g2 a=x b=y  | persist; a: assigned x; b: assigned y; Stable
      heartbeat b g1     | ILLEGAL_GENERATION; Stable
      sync b g2          | b: assigned y; Stable
    `)
  })

  it('gives a member that the leader forgot an empty assignment', () => {
    play(`
      join a v=3     | a: g1 range leads a; CompletingRebalance
      sync a g1 z=q  | persist; a: assigned ; Stable
    `)
  })

  it('ends the session of a member that is not heard of', () => {
    play(`
      join a v=3         | a: g1 range leads a; CompletingRebalance
      join b v=3         | PreparingRebalance
      join a             | a: g2 range leads a+b2; b: g2 range; CompletingRebalance
      sync b g2          | CompletingRebalance
      sync a g2 a=x b=y  | persist; a: assigned x; b: assigned y; Stable
      +9000              | Stable
      heartbeat b g2     | NONE; Stable
      +2000              | PreparingRebalance
      heartbeat a g2     | UNKNOWN_MEMBER_ID; PreparingRebalance
      join b             | b: g3 range leads b; CompletingRebalance
    `)
  })

  it('goes on without members that do not join again in time', () => {
    play(`
      join a v=3         | a: g1 range leads a; CompletingRebalance
      sync a g1          | persist; a: assigned ; Stable
      join b v=3         | PreparingRebalance
      +8000              | PreparingRebalance
      heartbeat a g1     | REBALANCE_IN_PROGRESS; PreparingRebalance
      +8000              | PreparingRebalance
      heartbeat a g1     | REBALANCE_IN_PROGRESS; PreparingRebalance
      +4000              | b: g2 range leads b; CompletingRebalance
      heartbeat a g1     | UNKNOWN_MEMBER_ID; CompletingRebalance
    `)
  })

  it('removes members that never ask for their assignment', () => {
    play(`
      join a v=3      | a: g1 range leads a; CompletingRebalance
      join b v=3      | PreparingRebalance
      join a          | a: g2 range leads a+b2; b: g2 range; CompletingRebalance
      sync a g2 a=x   | persist; a: assigned x; Stable
      +9000           | Stable
      heartbeat a g2  | NONE; Stable
      heartbeat b g2  | NONE; Stable
      +9000           | Stable
      heartbeat a g2  | NONE; Stable
      heartbeat b g2  | NONE; Stable
      +2000           | PreparingRebalance
      heartbeat b g2  | UNKNOWN_MEMBER_ID; PreparingRebalance
    `)
  })

  it('sends those who wait for an assignment back when the rebalance starts over', () => {
    play(`
      join a v=3  | a: g1 range leads a; CompletingRebalance
      join b v=3  | PreparingRebalance
      join a      | a: g2 range leads a+b2; b: g2 range; CompletingRebalance
      sync b g2   | CompletingRebalance
      join c v=3  | b: REBALANCE_IN_PROGRESS; PreparingRebalance
      sync a g2   | a: REBALANCE_IN_PROGRESS; PreparingRebalance
    `)
  })

  it('waits for a member that knows only its id, for a session', () => {
    play(`
      join a v=3  | a: g1 range leads a; CompletingRebalance
      join b      | b: MEMBER_ID_REQUIRED; CompletingRebalance
      join a meta=new | PreparingRebalance
      +9999       | PreparingRebalance
      +1          | a: g2 range leads a; CompletingRebalance
      join b      | b: UNKNOWN_MEMBER_ID; CompletingRebalance
    `)
  })

  it('answers a repeated join of the same generation the same', () => {
    play(`
      join a v=3     | a: g1 range leads a; CompletingRebalance
      join a         | a: g1 range leads a; CompletingRebalance
      sync a g1 a=x  | persist; a: assigned x; Stable
      join a         | a: g2 range leads a; CompletingRebalance
    `)
  })

  it('lets a follower come back unchanged without a rebalance', () => {
    play(`
      join a v=3         | a: g1 range leads a; CompletingRebalance
      join b v=3         | PreparingRebalance
      join a             | a: g2 range leads a+b2; b: g2 range; CompletingRebalance
      sync a g2 a=x b=y  | persist; a: assigned x; Stable
      join b             | b: g2 range; Stable
      join b r meta=new  | b: INCONSISTENT_GROUP_PROTOCOL; Stable
      join b range meta=new | PreparingRebalance
    `)
  })

  it('chooses the protocol with most votes among those that all have', () => {
    play(`
      join a range,sticky,rr v=3  | a: g1 range leads a; CompletingRebalance
      join b rr,sticky v=3        | PreparingRebalance
      join c rr,sticky,range v=3  | PreparingRebalance
      join a range,sticky,rr      | a: g2 rr leads a+b2+c3; b: g2 rr; c: g2 rr; CompletingRebalance
      join d range v=3            | d: INCONSISTENT_GROUP_PROTOCOL; CompletingRebalance
      join d rr type=connect v=3  | d: INCONSISTENT_GROUP_PROTOCOL; CompletingRebalance
    `)
  })

  it('keeps its limits', () => {
    play(
      `
      join a session=99      | a: INVALID_SESSION_TIMEOUT; Empty
      join a session=100001  | a: INVALID_SESSION_TIMEOUT; Empty
      join a v=3             | a: g1 range leads a; CompletingRebalance
      join b v=3             | b: GROUP_MAX_SIZE_REACHED; CompletingRebalance
      join c ,               | c: INCONSISTENT_GROUP_PROTOCOL; CompletingRebalance
    `,
      { groupMaxSize: 1 }
    )
  })

  it('turns away whom it told an id when it has become full', () => {
    play(
      `
      join a v=3       | a: g1 range leads a; CompletingRebalance
      join b           | b: MEMBER_ID_REQUIRED; CompletingRebalance
      join c           | c: MEMBER_ID_REQUIRED; CompletingRebalance
      join b           | PreparingRebalance
      join a meta=new  | PreparingRebalance
      join c           | c: GROUP_MAX_SIZE_REACHED; a: g2 range leads a+b; b: g2 range; CompletingRebalance
    `,
      { groupMaxSize: 2 }
    )
  })

  it('gathers the members of a new group for its initial delay, longer while more arrive', () => {
    play(
      `
      join a v=3  | PreparingRebalance
      +2900       | PreparingRebalance
      join b v=3  | PreparingRebalance
      +2900       | PreparingRebalance
      +200        | a: g1 range leads a+b2; b: g1 range; CompletingRebalance
    `,
      { groupInitialRebalanceDelayMs: 3_000 }
    )
  })
})

describe('static members', () => {
  const pair = `
      join a as=one      | a: g1 range leads a; CompletingRebalance
      join b as=two      | PreparingRebalance
      join a as=one      | a: g2 range leads a+b2; b: g2 range; CompletingRebalance
      sync b g2          | CompletingRebalance
      sync a g2 a=x b=y  | persist; a: assigned x; b: assigned y; Stable`

  it('come back under a new id without a rebalance, and fence the former process', () => {
    const script = play(`${pair}
      join c as=two      | persist; c: g2 range; Stable
      sync c g2          | c: assigned y; Stable
      heartbeat b g2     | FENCED_INSTANCE_ID; Stable
      heartbeat c g2     | NONE; Stable
    `)
    expect(script.group.members.size).toBe(2)
  })

  it('that lead come back and are told to assign nothing', () => {
    play(`${pair}
      join c as=one      | persist; c: g2 range leads c+b skip; Stable
      sync c g2          | c: assigned x; Stable
    `)
  })

  it('of an older version that lead come back as followers', () => {
    play(`${pair}
      join c as=one v=5  | persist; c: g2 range; Stable
      sync c g2          | c: assigned x; Stable
    `)
  })

  it('keep their place through a rebalance that they miss', () => {
    play(`${pair}
      join c as=three         | PreparingRebalance
      heartbeat b g2          | REBALANCE_IN_PROGRESS; PreparingRebalance
      join a as=one           | PreparingRebalance
      +9000                   | PreparingRebalance
      heartbeat b g2          | REBALANCE_IN_PROGRESS; PreparingRebalance
      +9000                   | PreparingRebalance
      heartbeat b g2          | REBALANCE_IN_PROGRESS; PreparingRebalance
      +2000                   | a: g3 range leads a+b+c4; c: g3 range; CompletingRebalance
    `)
  })

  it('leave only when their session ends or they are removed', () => {
    const script = play(`${pair}
      +9000           | Stable
      heartbeat a g2  | NONE; Stable
      +1000           | PreparingRebalance
    `)
    expect([...script.group.staticMembers.keys()]).toEqual(['one'])
  })
})
