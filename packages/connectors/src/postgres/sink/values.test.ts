import { describe, expect, it } from 'vitest'
import { encoderFor } from './values.ts'

const forms = { binary: 'base64', json: 'document' } as const

describe("Debezium's forms", () => {
  it.each([
    ['date', -735_160, '0044-03-15 BC'],
    ['date', 2_147_483_647, 'infinity'],
    ['date', -2_147_483_648, '-infinity'],
    ['date', 2_145_042_905, '5874897-12-31'],
    ['date', 19_782, '2024-02-29'],
    ['timestamp without time zone', 9224318015999999999n, '294276-12-31 23:59:59.999999'],
    ['timestamp without time zone', -210863519999999999n, '4713-01-01 00:00:00.000001 BC'],
    ['timestamp without time zone', 9223372036825200000n, 'infinity'],
    ['timestamp without time zone', -9223372036832400000n, '-infinity'],
    ['timestamp(3) without time zone', 9223372036825200n, 'infinity'],
    ['timestamp(3) without time zone', 1_709_210_096_123, '2024-02-29 12:34:56.123000'],
    ['time without time zone', 86_400_000_000, '24:00:00.000000'],
    ['time without time zone', 45_296_500_000, '12:34:56.500000'],
    ['timestamp with time zone', '-0043-03-15T12:00:00Z', '0044-03-15T12:00:00Z BC'],
    ['timestamp with time zone', '+294276-12-31T23:59:59.999999Z', '294276-12-31T23:59:59.999999Z'],
    ['timestamp with time zone', '-infinity', '-infinity'],
    ['timestamp with time zone', '2024-02-29T12:00:00.1Z', '2024-02-29T12:00:00.1Z'],
    ['timestamp with time zone', new Date(253_402_300_800_000), '010000-01-01T00:00:00.000Z'],
    ['date', new Date(-62_198_755_200_000), '0002-01-01T00:00:00.000Z BC'],
    ['date', '2024-02-29', '2024-02-29'],
    ['real', -0, '-0'],
    ['real', 0, 0],
    ['bit(10)', 'AwI=', '1000000011'],
    ['bit(5)', '10101', '10101'],
    ['bit(1)', true, '1'],
    ['point', { x: 1.5, y: -2, wkb: 'AQ==', srid: null }, '(1.5,-2)'],
    ['bytea[]', ['AP8=', null, ['AQ==']], ['\\x00ff', null, ['\\x01']]],
    ['date[]', [19_782], ['2024-02-29']],
    ['jsonb[]', ['{"a": [1, 1.10]}', null, ['"x\\\\"']], '{"{\\"a\\": [1, 1.10]}",NULL,{"\\"x\\\\\\\\\\""}}'],
    ['hstore', '{"a \\"b":"1","c":null}', '"a \\"b"=>"1","c"=>NULL'],
    ['extensions.hstore', '"a"=>"1"', '"a"=>"1"']
  ])('%s %s is %s', (type, value, expected) => {
    expect(encoderFor(type, forms)(value)).toEqual(expected)
  })
})
