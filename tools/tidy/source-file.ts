import { readFileSync } from 'node:fs'
import { type Program, parseSync } from 'oxc-parser'

/** One module of the repository, parsed. */
export interface SourceFile {
  /** Relative to the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly program: Program
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
}

/** A comment and where it stands, in characters. */
export interface Comment {
  readonly start: number
  readonly end: number
  readonly block: boolean
  readonly text: string
}

/** One import or re-export of another module. */
export interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly line: number
}

/** What a check found. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** Parses a module; a syntax error is a finding of its own, and the type checker's matter. */
export function parseSource(root: string, path: string): SourceFile {
  const text = readFileSync(`${root}/${path}`, 'utf8')
  return parseText(path, text)
}

/** Parses text as if it were a file. */
export function parseText(path: string, text: string): SourceFile {
  const { program, comments } = parseSync(path, text)
  const parsed = comments.map(({ start, end, type, value }) => ({ start, end, block: type === 'Block', text: value }))
  return { path, text, program, comments: parsed, imports: importsOf(program, text) }
}

/** 1-based line of a character. */
export function lineAt(text: string, position: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i !== -1 && i < position; i = text.indexOf('\n', i + 1)) line++
  return line
}

function importsOf(program: Program, text: string): Import[] {
  const imports: Import[] = []
  for (const node of program.body) {
    if (node.type === 'ImportDeclaration') {
      const names = node.specifiers
      const allTypes =
        names.length > 0 && names.every((name) => name.type === 'ImportSpecifier' && name.importKind === 'type')
      const typeOnly = node.importKind === 'type' || allTypes
      imports.push({ specifier: node.source.value, typeOnly, line: lineAt(text, node.start) })
    } else if ((node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') && node.source) {
      imports.push({
        specifier: node.source.value,
        typeOnly: node.exportKind === 'type',
        line: lineAt(text, node.start)
      })
    }
  }
  return imports
}
