import { RecordBatch, RecordBatchBuilder } from '@millrace/log'
import { type Benchmark, type BenchmarkResult, checkEqual, Span } from './benchmark.ts'

const BATCHES = 20_000
const BATCH_RECORDS = 1000
const VALUE_BYTES = 100

/** Encoding and decoding record batches of 100-byte values on one core. */
export const codec: Benchmark = {
  name: 'codec',
  what: 'encode and decode record batches of 1,000 values of 100 bytes, one core',
  budget: 10_000_000,
  run: async () => {
    const value = Buffer.alloc(VALUE_BYTES, 'v')
    encode(value, 1000)
    return [encode(value, BATCHES), decode(value)]
  }
}

function encode(value: Buffer, batches: number): BenchmarkResult {
  const builder = new RecordBatchBuilder()
  let bytes = 0
  const span = new Span()
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < BATCH_RECORDS; i++) builder.append(null, value, 1_700_000_000_000 + i)
    bytes += builder.build().length
  }
  const result = span.end('codec encode', batches * BATCH_RECORDS, { valueBytes: VALUE_BYTES })
  checkEqual('encoded bytes a record, at least', bytes / (batches * BATCH_RECORDS) > VALUE_BYTES ? 'yes' : 'no', 'yes')
  return result
}

function decode(value: Buffer): BenchmarkResult {
  const builder = new RecordBatchBuilder()
  for (let i = 0; i < BATCH_RECORDS; i++) builder.append(null, value, 1_700_000_000_000 + i)
  const bytes = builder.build()
  let sum = 0
  let timestamps = 0
  const span = new Span()
  for (let batch = 0; batch < BATCHES; batch++) {
    const cursor = new RecordBatch(bytes).records()
    while (cursor.next()) {
      sum += cursor.valueEnd - cursor.valueStart
      timestamps += cursor.timestamp - 1_700_000_000_000
    }
  }
  const records = BATCHES * BATCH_RECORDS
  const result = span.end('codec decode', records, { valueBytes: VALUE_BYTES })
  checkEqual('bytes of all values', sum, records * VALUE_BYTES)
  checkEqual('sum of timestamps', timestamps, (BATCHES * BATCH_RECORDS * (BATCH_RECORDS - 1)) / 2)
  return result
}
