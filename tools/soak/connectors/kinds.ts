import type { Random } from './random.ts'

/** Values of each column of `kinds` as SQL, the extremes among them. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  small: ['null', '-32768', '32767', '0'],
  whole: ['null', '-2147483648', '2147483647', '7'],
  big: ['null', '-9223372036854775808', '9223372036854775807', '9007199254740993', '12'],
  single: ['null', '0.1', '-1.5e30', "'NaN'", "'-Infinity'", "'-0'"],
  twice: ['null', '0.1', '1.7976931348623157e308', '5e-324', "'NaN'", "'Infinity'"],
  exact: ['null', '123456789012345678901.123456789', '-0.000000001', "'NaN'", '10'],
  free: ['null', '1e100', '-0.00000000000000000000001', '12345678901234567890.5', "'NaN'", '1.50'],
  yes: ['null', 'true', 'false'],
  words: ['null', "''", "'äöü 漢字 🐘'", `E'quote " back \\\\ tab \\t line \\n'`, "repeat('wide ', 2500)", "'null'"],
  short: ['null', "'short'", "''"],
  fixed: ['null', "'ab'", "'abcdef'"],
  raw: ['null', "''", "'\\x00ff10'", "decode(repeat('0fa0', 3000), 'hex')"],
  day: ['null', "'2024-02-29'", "'0001-01-01'", "'4713-01-01 BC'", "'infinity'", "'-infinity'", "'5874897-12-31'"],
  clock: ['null', "'00:00'", "'23:59:59.999999'", "'24:00'"],
  zoned: ['null', "'12:34:56.5+05:30'", "'00:00-11'"],
  moment: ['null', "'2024-03-31 02:30:00.123456'", "'0044-03-15 BC'", "'infinity'", "'294276-12-31 23:59:59.999999'"],
  instant: [
    'null',
    "'2024-03-31 02:30:00.1+02'",
    "'0044-03-15 12:00+00 BC'",
    "'-infinity'",
    "'1999-12-31 23:59:59.999999Z'"
  ],
  span: ['null', "'1 year 2 mons -3 days 04:05:06.789'", "'-00:00:00.000001'", "'0'", "'178000000 years'"],
  ident: ['null', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  doc: ['null', `'{"b": 1, "a":  [1, 2.50, null]}'`, `'"text"'`, `'9007199254740993'`],
  docb: ['null', `'{"b": 1, "a": [1, 2.50, null], "deep": {"x": "ü"}}'`, `'null'`, `'12345678901234567890123'`],
  address: ['null', "'10.0.0.1/8'", "'::1'"],
  net: ['null', "'10.0.0.0/8'"],
  range: ['null', "'[1,9223372036854775806)'", "'empty'", "'(,5]'"],
  times: ['null', `'["2024-01-01 00:00:00+00","2024-02-01 00:00:00+00")'`, "'(,)'"],
  numbers: ['null', "'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'"],
  texts: ['null', `'{"a b","quote \\" and , comma",NULL,""}'`],
  bits: ['null', "b'10101'"],
  feeling: ['null', "'sad'", "'happy'"],
  share: ['null', '99.999', '-1'],
  home: ['null', `row('Main "St", 1', 12)`, 'row(null, 3)']
}

/** A statement that puts a random row of all types there. */
export function kindsUpsert(random: Random): string {
  const names = Object.keys(VALUES)
  const values = names.map((name) => random.pick(VALUES[name] ?? []))
  const set = names.map((name) => `${name} = excluded.${name}`).join(', ')
  return `insert into kinds (id, ${names.join(', ')}) values (${random.below(60)}, ${values.join(', ')}) on conflict (id) do update set ${set}`
}

/** A statement that changes one column of some rows. */
export function kindsUpdate(random: Random): string {
  const name = random.pick(Object.keys(VALUES))
  return `update kinds set ${name} = ${random.pick(VALUES[name] ?? [])} where id % 7 = ${random.below(7)}`
}
