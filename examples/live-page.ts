import { setTimeout as sleep } from 'node:timers/promises'

const FRAME_MS = 100
const PLAIN_LINE_MS = 250
/** Of a terminal that does not say. */
const DEFAULT_ROWS = 24
/** The cursor is hidden, and what is wider than the terminal is cut, not wrapped: so the page's height is known. */
const ENTER = '\x1b[?25l\x1b[?7l'
const LEAVE = '\x1b[?7h\x1b[?25h'

/** What is to be seen at one moment. */
export interface Picture {
  /** On a terminal, in place of the picture before. */
  readonly lines: readonly string[]
  /** Anywhere else: one line, whenever it is another one. */
  readonly plain: string
  /** Whether it is the last. */
  readonly done?: boolean
}

/**
 * Shows picture after picture until one is the last, or until it is interrupted.
 * @returns whether the last was shown.
 */
export async function livePage(interrupted: AbortSignal, draw: () => Promise<Picture> | Picture): Promise<boolean> {
  const output = process.stdout
  const leave = () => output.write(LEAVE)
  let height = 0
  let plain = { text: '', atMs: 0 }
  if (output.isTTY) {
    output.write(ENTER)
    process.on('exit', leave)
  }
  try {
    for (;;) {
      const picture = await draw()
      if (output.isTTY) {
        const shown = picture.lines.slice(0, Math.max(1, (output.rows || DEFAULT_ROWS) - 1))
        const up = height > 0 ? `\x1b[${height}A` : ''
        output.write(`${up}\r${shown.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
        height = shown.length
      } else if (picture.plain !== plain.text && (picture.done || performance.now() - plain.atMs >= PLAIN_LINE_MS)) {
        output.write(`${picture.plain}\n`)
        plain = { text: picture.plain, atMs: performance.now() }
      }
      if (picture.done === true) return true
      await sleep(FRAME_MS, undefined, { signal: interrupted }).catch(() => undefined)
      if (interrupted.aborted) return false
    }
  } finally {
    if (output.isTTY) {
      leave()
      process.off('exit', leave)
    }
  }
}

const BLOCKS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█']

/** A bar of so many columns, filled by a share of 0 to 1. */
export function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8)
  return ('█'.repeat(Math.floor(eighths / 8)) + BLOCKS[eighths % 8]).padEnd(columns)
}

/** Text of less weight, where the output is a terminal. */
export const dim = (text: string) => (process.stdout.isTTY ? `\x1b[2m${text}\x1b[22m` : text)
/** Text of more weight, where the output is a terminal. */
export const bold = (text: string) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[22m` : text)
/** A number as people read it. */
export const number = (value: number | bigint) => value.toLocaleString('en-US')
