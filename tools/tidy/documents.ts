import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { type Finding, lineAt } from './source-file.ts'

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g
const CODE_BLOCK = /^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm
const PROGRAM_LIMIT_MS = 30_000

/** Finds links to files and headings that are not there. Links to other hosts are not followed. */
export function checkLinks(root: string, paths: readonly string[]): Finding[] {
  return paths.flatMap((path) => {
    const text = withoutCode(readFileSync(join(root, path), 'utf8'))
    return [...text.matchAll(LINK)].flatMap((match) => {
      const message = judgeLink(root, path, match[1])
      return message ? [{ path, line: lineAt(text, match.index), message }] : []
    })
  })
}

function judgeLink(root: string, path: string, link: string): string | undefined {
  if (/^(https?|mailto):/.test(link)) return undefined
  const [file, anchor] = link.split('#')
  const target = file === '' ? path : normalize(join(dirname(path), file))
  if (target.startsWith('..') || !existsSync(join(root, target))) return `dead link: ${link}`
  if (!anchor || !target.endsWith('.md') || statSync(join(root, target)).isDirectory()) return undefined
  return headingsOf(readFileSync(join(root, target), 'utf8')).has(anchor) ? undefined : `no such heading: ${link}`
}

function headingsOf(text: string): Set<string> {
  const headings = [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map((match) =>
    match[1]
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
  )
  return new Set(headings)
}

/** The same text with code blanked, line for line. */
function withoutCode(text: string): string {
  return text.replaceAll(CODE_BLOCK, (block) => block.replaceAll(/[^\n]/g, ' '))
}

/** A program in a document. */
export interface DocumentProgram {
  readonly path: string
  readonly line: number
  readonly code: string
  /** What it must print, from a `text` block marked `output` right after it; undefined: anything. */
  readonly output: string | undefined
}

/** The programs of a document: its `ts` blocks, whole programs all of them. */
export function programsOf(root: string, path: string): DocumentProgram[] {
  const text = readFileSync(join(root, path), 'utf8')
  const blocks = [...text.matchAll(CODE_BLOCK)]
  return blocks.flatMap((block, i) => {
    if (block[1] !== 'ts') return []
    const next = blocks[i + 1]
    const output = next?.[1] === 'text' && next[2].trim() === 'output' ? next[3] : undefined
    return [{ path, line: lineAt(text, block.index), code: block[3], output }]
  })
}

/** Runs a program from the repository's root, in a data directory of its own; a finding when it fails or prints something else. */
export async function runProgram(root: string, program: DocumentProgram): Promise<Finding | undefined> {
  const directory = mkdtempSync(join(root, 'docs', '.run-'))
  try {
    const file = join(directory, 'program.ts')
    writeFileSync(file, program.code)
    const run = await runNode(file, directory)
    const finding = (message: string) => ({ path: program.path, line: program.line, message })
    if (run.code !== 0) return finding(`its code does not run (exit ${run.code}):\n${run.output.trim()}`)
    if (program.output !== undefined && run.output.trim() !== program.output.trim()) {
      return finding(`its code prints something else:\n${run.output.trim()}`)
    }
    return undefined
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function runNode(file: string, cwd: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--conditions=source', file], { cwd, timeout: PROGRAM_LIMIT_MS })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }))
  })
}
