/** An order as the web shop sends it. */
export interface Order {
  readonly product: string
  readonly quantity: number
}

/** Orders by number, as they come: two of them are not what the database expects. */
export const ORDERS: readonly (readonly [nr: string, value: string])[] = [
  order('1001', { product: 'socks', quantity: 2 }),
  order('1002', { product: 'shoes', quantity: 1 }),
  order('1003', { product: 'raincoat', quantity: 1 }),
  // A product that nobody has put into the table of products yet.
  order('1004', { product: 'umbrella', quantity: 3 }),
  order('1005', { product: 'socks', quantity: 5 }),
  // Cut off on its way.
  ['1006', '{"product":"shoes","quant'],
  order('1007', { product: 'shoes', quantity: 2 }),
  order('1008', { product: 'socks', quantity: 1 })
]

function order(nr: string, value: Order): readonly [nr: string, value: string] {
  return [nr, JSON.stringify(value)]
}
