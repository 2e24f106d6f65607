import { readLong, writeLong } from '../serde/long.ts'
import type { Serde } from '../serde/serde.ts'
import { bucketOf } from './window-bucket.ts'
import type { WindowTable } from './window-table.ts'

/** Where a window is in its store: its start, or a session's end; and for sessions the start, else 0. */
export interface WindowPlace {
  readonly atMs: number
  readonly startMs: number
}

/** Places one after the other, two numbers each, in order. */
export type PlaceList = number[]

const noPlaces: readonly number[] = Object.freeze([])

/** 16 bytes a place. */
export const placeLists: Serde<PlaceList> = Object.freeze({
  name: 'places',
  encode(list: PlaceList): Buffer {
    const bytes = Buffer.allocUnsafe(list.length * 8)
    for (let i = 0; i < list.length; i++) writeLong(bytes, list[i], i * 8)
    return bytes
  },
  encodeInto(list: PlaceList, target: Buffer, at: number): number {
    const end = at + list.length * 8
    if (end > target.length) return -1
    for (let i = 0; i < list.length; i++) writeLong(target, list[i], at + i * 8)
    return end
  },
  decode(bytes: Buffer, start: number, end: number): PlaceList {
    const list: number[] = []
    for (let at = start; at + 8 <= end; at += 8) list.push(readLong(bytes, at))
    return list
  }
})

/** Puts a place in. @returns whether it was missing. */
export function addPlace(list: PlaceList, atMs: number, startMs: number): boolean {
  let at = list.length
  while (at > 0 && isAfter(list, at - 2, atMs, startMs)) at -= 2
  if (at > 0 && list[at - 2] === atMs && list[at - 1] === startMs) return false
  if (at === list.length) list.push(atMs, startMs)
  else list.splice(at, 0, atMs, startMs)
  return true
}

/** Takes a place out. @returns whether it was there. */
export function removePlace(list: PlaceList, atMs: number, startMs: number): boolean {
  for (let at = list.length - 2; at >= 0; at -= 2) {
    if (list[at] !== atMs || list[at + 1] !== startMs) continue
    list.splice(at, 2)
    return true
  }
  return false
}

function isAfter(list: PlaceList, at: number, atMs: number, startMs: number): boolean {
  return list[at] > atMs || (list[at] === atMs && list[at + 1] > startMs)
}

/**
 * Finds a key's windows by point reads: an entry per key and bucket of time lists the windows that are in it. Kept in the engine only, once memory does not
 * hold all windows; a restore derives it from the windows' changelog. Changed at the commit only, when nothing can be taken back one by one: so a list
 * is changed in place, not copied for each of its windows.
 */
export class WindowIndex {
  readonly #table: WindowTable
  readonly #bucketMs: number

  constructor(table: WindowTable, bucketMs: number) {
    this.#table = table
    this.#bucketMs = bucketMs
  }

  /** Whether anything is in it: until then memory holds all windows, and nothing has to be found. */
  get isKept(): boolean {
    return this.#table.newestStartMs >= 0
  }

  /** @param startMs Sessions only. */
  add(key: unknown, atMs: number, startMs = 0): void {
    const cell = this.#table.cell(key, bucketOf(atMs, this.#bucketMs))
    if (cell === undefined) return
    const list = listOf(cell.current?.value)
    // Most lists stay short: an array that is pushed to has room for many.
    if (list === undefined) this.#table.buffer.set(cell, [atMs, startMs], atMs)
    else if (addPlace(list, atMs, startMs)) this.#table.changed(cell)
  }

  /** @param startMs Sessions only. */
  remove(key: unknown, atMs: number, startMs = 0): void {
    const cell = this.#table.cell(key, bucketOf(atMs, this.#bucketMs))
    const list = listOf(cell?.current?.value)
    if (cell === undefined || list === undefined || !removePlace(list, atMs, startMs)) return
    if (list.length === 0) this.#table.buffer.set(cell, null, atMs)
    else this.#table.changed(cell)
  }

  /** A key's places with `atMs` from `fromMs` to `toMs`, both included, in order. */
  between(key: unknown, fromMs: number, toMs: number): WindowPlace[] {
    const found: WindowPlace[] = []
    const lastMs = Math.min(toMs, this.#table.newestStartMs)
    for (let bucket = bucketOf(Math.max(0, fromMs), this.#bucketMs); bucket <= lastMs; bucket += this.#bucketMs) {
      const list = this.#list(key, bucket) ?? noPlaces
      for (let at = 0; at < list.length; at += 2) {
        const atMs = list[at]
        if (atMs >= fromMs && atMs <= toMs) found.push({ atMs, startMs: list[at + 1] })
      }
    }
    return found
  }

  #list(key: unknown, bucket: number): PlaceList | undefined {
    return listOf(this.#table.get(key, bucket)?.value)
  }
}

function listOf(value: unknown): PlaceList | undefined {
  return Array.isArray(value) ? value : undefined
}
