import type { GoldenNode } from './case.ts'
import type { RandomSource } from './random-source.ts'
import { randomWindow, SPANS_MS, windowsAbove } from './random-windows.ts'
import { withoutSharedBounds } from './shared-bounds.ts'

/** What a node's id stands for, as far as it decides what may read it. */
type Kind = 'stream' | 'table' | 'window-table' | 'global' | 'versioned'
interface Made {
  readonly id: string
  readonly kind: Kind
  /** Of a table of windows: whether it knows when they close. */
  readonly closes?: boolean
}

const MOST_NODES = 14
const PREDICATES = ['valueIsEven', 'valueIsOdd', 'valueBelow50', 'keyIsA']
const SOURCES = ['stream', 'stream', 'stream', 'stream', 'table', 'table', 'table', 'globalTable', 'versionedTable']
const MAPPERS = ['bracket', 'withKey', 'evenElseNull', 'lastDigit']
const KEYS = ['valueMod3', 'valueMod3OrNull', 'foreign', 'foreignOrNull']
const PROCESSORS = ['runningCount', 'deduplicate', 'countsEachStreamTime', 'countsEachWallClock']
const AGGREGATIONS = ['count', 'reduce', 'aggregate']
const JOINS = ['join', 'leftJoin', 'outerJoin']
const HISTORIES_MS = [60, 200, 1000]
const TRANSFORMERS = ['calls', 'previous', 'presence', 'presence', 'ticks']

/** A topology of the golden vocabulary: one to three sources, then operators on what is there, and a `to` for what nobody reads. */
export function randomTopology(random: RandomSource): GoldenNode[] {
  return new Composition(random).compose()
}

class Composition {
  readonly #random: RandomSource
  readonly #nodes: GoldenNode[] = []
  readonly #made: Made[] = []
  readonly #read = new Set<string>()
  /** Groups, and groups in windows, by what they are of: several steps may aggregate one. */
  readonly #groups = new Map<string, string[]>()

  constructor(random: RandomSource) {
    this.#random = random
  }

  compose(): GoldenNode[] {
    const operators = 3 + this.#random.below((this.#random.oneIn(8) ? 2 : 1) * MOST_NODES - 4)
    this.#source()
    // A topology of global tables alone reads nothing.
    if (this.#made.every(({ kind }) => kind === 'global') || !this.#random.oneIn(3)) this.#source(['stream', 'table'])
    if (this.#random.oneIn(4)) this.#source()
    while (this.#nodes.length < operators) this.#operator()
    this.#sinks()
    return withoutSharedBounds(this.#nodes)
  }

  #source(ops = SOURCES): void {
    const random = this.#random
    const op = random.pick(ops)
    const topic = this.#topic(op)
    if (op === 'stream') this.#add({ op, topic }, 'stream')
    if (op === 'table') this.#add({ op, topic, ...this.#store() }, 'table')
    if (op === 'globalTable') this.#add({ op, topic }, 'global')
    if (op === 'versionedTable') this.#add({ op, topic, historyMs: random.pick(HISTORIES_MS) }, 'versioned')
  }

  #operator(): void {
    // What was made last is read most often, so that chains grow long.
    const recent = this.#made.slice(-2)
    const from = this.#random.oneIn(3) ? this.#random.pick(this.#made) : this.#random.pick(recent)
    if (from.kind === 'stream') this.#onStream(from)
    else if (from.kind === 'versioned' && this.#random.oneIn(2)) this.#onVersioned(from)
    else if (from.kind === 'table') this.#onTable(from)
    else if (from.kind === 'window-table') this.#onWindows(from)
    else {
      const stream = this.#any('stream')
      if (stream === undefined) this.#add({ op: 'stream', topic: `in${this.#nodes.length}` }, 'stream')
      else this.#joinStreamAndTable(stream, from)
    }
  }

  #onStream({ id: from }: Made): string {
    const random = this.#random
    this.#read.add(from)
    const op = random.pick([
      'filter',
      'filterNot',
      'mapValues',
      'selectKey',
      'map',
      'flatMap',
      'flatMapValues',
      'merge',
      'split',
      'repartition',
      'toTable',
      'toTable',
      'group',
      'group',
      'group',
      'group',
      'group',
      'cogroup',
      'cogroup',
      'join',
      'join',
      'join',
      'join',
      'process'
    ])
    switch (op) {
      case 'filter':
      case 'filterNot':
        return this.#add({ op, from, fn: random.pick(PREDICATES) }, 'stream')
      case 'mapValues':
        return this.#add({ op, from, fn: random.pick(MAPPERS) }, 'stream')
      case 'selectKey':
        return this.#add({ op, from, fn: random.pick(KEYS) }, 'stream')
      case 'map':
        return this.#add({ op, from, keyFn: random.pick(KEYS), fn: random.pick(MAPPERS) }, 'stream')
      case 'merge':
        return this.#add({ op, from: [from, this.#readAny('stream', from)] }, 'stream')
      case 'split':
        return this.#split(from)
      case 'toTable':
        return this.#kept({ op, from, ...this.#store() }, 'table')
      case 'group':
        return this.#aggregation(this.#group(from))
      case 'cogroup':
        return this.#aggregation(this.#cogroup(from))
      case 'join':
        return this.#joinStream({ id: from, kind: 'stream' })
      case 'process':
        return this.#add({ op, from, fn: random.pick(PROCESSORS), everyMs: random.pick([10, 20, 45]) }, 'stream')
      default:
        return this.#add({ op, from }, 'stream')
    }
  }

  #onTable({ id: from }: Made): string {
    const random = this.#random
    this.#read.add(from)
    return this.#ofTable(
      from,
      random.pick([
        'filter',
        'filterNot',
        'mapValues',
        'transformValues',
        'groupBy',
        'groupBy',
        'suppress',
        'toStream',
        'toStream',
        'join',
        'join',
        'join',
        'foreign',
        'foreign'
      ])
    )
  }

  /** Rows that are computed from a versioned table have versions too. */
  #onVersioned({ id: from }: Made): string {
    const random = this.#random
    this.#read.add(from)
    const op = random.pick([
      'filter',
      'filterNot',
      'mapValues',
      'transformValues',
      'groupBy',
      'groupBy',
      'toStream',
      'join',
      'join',
      'foreign'
    ])
    return this.#ofTable(from, op, 'versioned')
  }

  #ofTable(from: string, op: string, kind: 'table' | 'versioned' = 'table'): string {
    const random = this.#random
    if (op === 'filter' || op === 'filterNot') {
      return this.#kept({ op, from, fn: random.pick(PREDICATES), ...(random.oneIn(3) ? this.#store() : {}) }, kind)
    }
    if (op === 'mapValues') return this.#kept({ op, from, fn: random.pick(MAPPERS), ...this.#store() }, kind)
    if (op === 'transformValues') {
      const fn = random.pick(TRANSFORMERS)
      return this.#kept({ op, from, fn, ...(fn === 'ticks' && { everyMs: 20 }), ...this.#store() }, kind)
    }
    if (op === 'suppress') return this.#add(this.#timeLimit(from), 'table')
    if (op === 'toStream') return this.#add({ op, from }, 'stream')
    if (op === 'groupBy') return this.#ofRows(from)
    const right = this.#readAny(random.oneIn(4) ? 'versioned' : 'table', from)
    if (op === 'join') return this.#add({ op: random.pick(JOINS), left: from, right, ...this.#store() }, 'table')
    const foreignKeyFn = random.pick(KEYS)
    return this.#add(
      { op: random.pick(['join', 'leftJoin']), left: from, right, foreignKeyFn, ...this.#store() },
      'table'
    )
  }

  #onWindows({ id: from, closes = false }: Made): string {
    const random = this.#random
    this.#read.add(from)
    const op = random.pick([
      'toStream',
      'toStream',
      'toStream',
      'toStream',
      'suppress',
      'suppress',
      'suppress',
      'filter',
      'filterNot',
      'mapValues',
      'transformValues',
      'groupBy',
      'join',
      'join'
    ])
    if (op === 'transformValues') return this.#add({ op, from, fn: 'presence' }, 'window-table', closes)
    if (op === 'filter' || op === 'filterNot')
      return this.#add({ op, from, fn: random.pick(PREDICATES) }, 'window-table', closes)
    if (op === 'mapValues') return this.#add({ op, from, fn: random.pick(MAPPERS) }, 'window-table', closes)
    if (op === 'suppress' && closes) return this.#add({ op, from }, 'window-table')
    if (op === 'suppress') return this.#add(this.#timeLimit(from), 'window-table')
    if (op === 'join') {
      const right = this.#otherWindows(from)
      const bothClose = closes && this.#made.some((made) => made.id === right && made.closes)
      return this.#add({ op: random.pick(JOINS), left: from, right }, 'window-table', bothClose)
    }
    if (op === 'toStream') return this.#add({ op, from }, 'stream')
    return this.#ofRows(from)
  }

  /** Windows of the same kind over another stream, whose time may be ahead or behind; or whatever windows are there. */
  #otherWindows(of: string): string {
    const windowed = windowsAbove(this.#nodes, of)
    const stream = this.#any('stream')
    if (windowed?.window === undefined || windowed.window.type === 'unlimited' || stream === undefined)
      return this.#readAny('window-table', of)
    if (this.#random.oneIn(2)) return this.#readAny('window-table', of)
    this.#read.add(stream.id)
    const { window } = windowed
    const grouped = this.#group(stream.id).id
    const from = this.#again(grouped, () => ({ op: 'windowedBy', from: grouped, window }))
    const made = this.#add({ op: this.#random.pick(AGGREGATIONS), from }, 'window-table', true)
    this.#read.add(made)
    return made
  }

  #ofRows(from: string): string {
    const grouped = this.#again(from, () => ({ op: 'groupBy', from, fn: this.#random.pick(KEYS) }))
    return this.#add({ op: this.#random.pick(AGGREGATIONS), from: grouped, ...this.#store() }, 'table')
  }

  #timeLimit(from: string): GoldenNode {
    const random = this.#random
    // Bounds are looked at when committing: as Kafka Streams does only where a record brings one update.
    const isSource = this.#nodes.some(({ id, op }) => id === from && op === 'table')
    const bounds = isSource && random.oneIn(2) ? { maxRecords: 1 + random.below(3) } : {}
    return { op: 'suppress', from, untilTimeLimitMs: random.pick([1, 10, 40]), ...bounds }
  }

  /** A table that may be kept, and then may be kept with its versions; rows that are computed are of the kind that they are computed from. */
  #kept(node: GoldenNode, kind: 'table' | 'versioned'): string {
    if (node.store === undefined) return this.#add(node, kind)
    if (!this.#random.oneIn(4)) return this.#add(node, 'table')
    return this.#add({ ...node, historyMs: this.#random.pick(HISTORIES_MS) }, 'versioned')
  }

  /** A group, or one in windows, of what was given: another one, or sometimes one that is there. */
  #again(from: string, make: () => GoldenNode): string {
    const made = this.#groups.get(from) ?? []
    if (made.length > 0 && this.#random.oneIn(2)) return this.#random.pick(made)
    const id = this.#id()
    this.#nodes.push({ id, ...make() })
    this.#groups.set(from, [...made, id])
    return id
  }

  #split(from: string): string {
    const branches = Array.from({ length: 1 + this.#random.below(2) }, () => ({
      id: this.#id(),
      fn: this.#random.pick(PREDICATES)
    }))
    const rest = this.#random.oneIn(2) ? { default: this.#id() } : {}
    const id = this.#id()
    this.#nodes.push({ id, op: 'split', from, branches, ...rest })
    const ids = [...branches.map(({ id }) => id), ...Object.values(rest)]
    for (const branch of ids) this.#made.push({ id: branch, kind: 'stream' })
    return id
  }

  #group(from: string): { id: string; cogrouped: boolean } {
    const by = this.#random.oneIn(2) ? { op: 'groupByKey' } : { op: 'groupBy', fn: this.#random.pick(KEYS) }
    return { id: this.#again(from, () => ({ from, ...by })), cogrouped: false }
  }

  #cogroup(from: string): { id: string; cogrouped: boolean } {
    const first = this.#group(from)
    const second = this.#random.oneIn(4) ? [] : [this.#group(this.#readAny('stream', from)).id]
    const third = second.length > 0 && this.#random.oneIn(4) ? [this.#group(this.#readAny('stream', from)).id] : []
    const id = this.#id()
    this.#nodes.push({ id, op: 'cogroup', from: [first.id, ...second, ...third] })
    return { id, cogrouped: true }
  }

  #aggregation({ id: from, cogrouped }: { id: string; cogrouped: boolean }): string {
    const random = this.#random
    const op = cogrouped ? 'aggregate' : random.pick(AGGREGATIONS)
    if (random.oneIn(3)) return this.#add({ op, from, ...this.#store() }, 'table')
    const windows = this.#again(from, () => this.#windowedBy(from, cogrouped))
    const { window } = this.#nodes.find(({ id }) => id === windows) ?? {}
    const closes = window?.type !== 'unlimited'
    return this.#add({ op, from: windows, ...(random.oneIn(4) ? this.#store() : {}) }, 'window-table', closes)
  }

  #windowedBy(from: string, cogrouped: boolean): GoldenNode {
    const random = this.#random
    const node = { op: 'windowedBy', from }
    if (random.oneIn(16)) {
      return { ...node, window: { type: 'unlimited', startMs: random.pick([0, 20, 100]), graceMs: 0 } }
    }
    const emit = !cogrouped && random.oneIn(3) ? { emit: 'final' as const } : {}
    return { ...node, ...emit, window: randomWindow(random) }
  }

  #joinStream(left: Made): string {
    const others = this.#made.filter(({ kind }) => kind !== 'window-table')
    const right = this.#random.pick(others)
    if (right.kind !== 'stream') return this.#joinStreamAndTable(left, right)
    const random = this.#random
    this.#read.add(right.id)
    const within = { beforeMs: random.pick(SPANS_MS), afterMs: random.pick(SPANS_MS), graceMs: random.pick(SPANS_MS) }
    // A window that lies beside the record.
    const beside = random.below(16)
    if (beside === 0) within.beforeMs = -random.below(within.afterMs + 1)
    if (beside === 1) within.afterMs = -random.below(within.beforeMs + 1)
    return this.#add({ op: random.pick(JOINS), left: left.id, right: right.id, within }, 'stream')
  }

  #joinStreamAndTable(left: Made, right: Made): string {
    const random = this.#random
    this.#read.add(left.id).add(right.id)
    const op = random.pick(['join', 'leftJoin'])
    const joined = { op, left: left.id, right: right.id }
    if (right.kind === 'global') return this.#add({ ...joined, keyFn: random.pick(KEYS) }, 'stream')
    const grace = right.kind === 'versioned' && random.oneIn(2) ? { graceMs: random.pick([0, 10, 40]) } : {}
    return this.#add({ ...joined, ...grace }, 'stream')
  }

  #sinks(): void {
    const sunk = this.#made.filter(
      ({ id, kind }) => kind === 'stream' && (!this.#read.has(id) || this.#random.oneIn(8))
    )
    for (const { id, kind } of this.#made) {
      if ((kind !== 'table' && kind !== 'window-table') || this.#read.has(id)) continue
      this.#add({ op: 'toStream', from: id }, 'stream')
      sunk.push(this.#made[this.#made.length - 1])
    }
    for (const [index, { id }] of sunk.entries()) {
      const topic = this.#random.oneIn(10) ? this.#random.below(index + 1) : index
      this.#nodes.push({ op: 'to', from: id, topic: `out${topic}` })
    }
  }

  #any(kind: Kind): Made | undefined {
    const all = this.#made.filter((made) => made.kind === kind)
    return all.length === 0 ? undefined : this.#random.pick(all)
  }

  /** Another one of a kind; where there is none, a new source of it. */
  #readAny(kind: Kind, not: string): string {
    const others = this.#made.filter((made) => made.kind === kind && made.id !== not)
    const id = others.length > 0 ? this.#random.pick(others).id : this.#fresh(kind, not)
    this.#read.add(id)
    return id
  }

  #fresh(kind: Kind, orElse: string): string {
    if (kind !== 'stream' && kind !== 'table') return orElse
    return this.#add({ op: kind, topic: this.#topic(kind) }, kind)
  }

  #add(node: GoldenNode, kind: Kind, closes = false): string {
    const id = this.#id()
    this.#nodes.push({ id, ...node })
    this.#made.push({ id, kind, closes })
    return id
  }

  /** A topic of its own; or, of a stream, sometimes that of another one. */
  #topic(op: string): string {
    const streams = this.#nodes.flatMap((node) =>
      node.op === 'stream' && node.topic !== undefined ? [node.topic] : []
    )
    if (op === 'stream' && streams.length > 0 && this.#random.oneIn(8)) return this.#random.pick(streams)
    return `in${this.#nodes.length}`
  }

  #store(): { store?: string } {
    return this.#random.oneIn(2) ? { store: `store${this.#nodes.length}` } : {}
  }

  #ids = 0
  #id(): string {
    this.#ids++
    return `n${this.#ids}`
  }
}
