/** The database whose changes are captured, and the one that is made equal to what follows from it. */

/** Partitions of the topics that tables are captured into; those that a sink empties have one, see {@link ONE_PARTITION}. */
export const PARTITIONS = 3

/** A truncate concerns all keys, so only where there is one partition does a target see it in order with all rows. */
export const ONE_PARTITION: ReadonlySet<string> = new Set(['shop.public.kinds'])

const KINDS_TABLE = `
  create type mood as enum ('sad', 'ok', 'happy');
  create domain percent as numeric(7,3) check (value between -100 and 100);
  create type place as (street text, number int);
  create table kinds (
    id int primary key, small smallint, whole int, big bigint, single real, twice double precision, exact numeric(30,9), free numeric,
    yes boolean, words text, short varchar(40), fixed char(6), raw bytea, day date, clock time, zoned timetz, moment timestamp,
    instant timestamptz, span interval, ident uuid, doc json, docb jsonb, address inet, net cidr, range int8range, times tstzrange,
    numbers int[], texts text[], bits bit(5), feeling mood, share percent, home place)`

/** Makes the captured tables. */
export const SOURCE_SCHEMA = `
  create type order_status as enum ('new', 'paid', 'sent');
  create table customers (id int primary key, name text not null, region text, note text, profile jsonb, alias text);
  alter table customers alter note set storage external;
  create table orders (id bigint primary key, customer int not null, amount bigint not null, status order_status not null, memo text);
  alter table orders alter memo set storage external;
  create table items (id bigint, line int, quantity int not null, price int not null, primary key (id, line));
  create table stock (item int primary key, quantity int not null);
  ${KINDS_TABLE}`

/** Rows of `stock`, which nothing writes to: each of them is read once. */
export const STOCK_ROWS = 500

/** Rows that are there before anything is captured. */
export const FIRST_ROWS = `
  insert into customers select i, 'customer ' || i, 'region ' || i % 7, repeat('n' || i, 2000), jsonb_build_object('level', i % 3), 'alias ' || i
    from generate_series(0, 119) i;
  insert into orders select i, i % 150, i * 7, 'new', case when i % 5 = 0 then repeat('memo' || i, 900) else 'short' end
    from generate_series(0, 799) i;
  insert into items select i % 900, i / 900, i % 5, i % 97 from generate_series(0, 7999) i;
  insert into stock select i, i % 50 from generate_series(1, ${STOCK_ROWS}) i`

/** What every insert, update and delete of a target table is noted in. */
const AUDIT = `
  create table audit (place bigserial primary key, target text, key text, operation text, version bigint);
  create function note_change() returns trigger language plpgsql as $$
  begin
    insert into audit (target, key, operation, version)
      values (tg_table_name, coalesce(to_jsonb(new), to_jsonb(old)) ->> tg_argv[0], tg_op, (to_jsonb(new) ->> 'version')::bigint);
    return null;
  end $$;`

/** Makes the target's tables, audited. */
export const TARGET_SCHEMA = `
  create table enriched (id bigint primary key, version bigint not null, customer text, region text, amount bigint, status text, memo text,
    lines int, total bigint);
  create table regions (region text primary key, version bigint not null, orders int not null, amount bigint not null, total bigint not null);
  create table history (id bigint, version bigint, customer text, region text, amount bigint, status text, memo text, lines int, total bigint);
  create table customers (id int primary key, name text, region text, note text, profile jsonb, alias text);
  ${AUDIT}
  create trigger audited after insert or update or delete on enriched for each row execute function note_change('id');
  create trigger audited after insert or update or delete on regions for each row execute function note_change('region');
  ${KINDS_TABLE}`

/** What `enriched` must hold, asked of the source: each order with its customer and the sums of its items. */
export const ENRICHED_SQL = `
  select o.id, c.name as customer, c.region, o.amount, o.status::text, md5(o.memo) as memo, coalesce(i.lines, 0)::int as lines,
    coalesce(i.total, 0)::bigint as total
  from orders o left join customers c on c.id = o.customer
  left join (select id, count(*) as lines, sum(quantity * price) as total from items group by id) i on i.id = o.id`

/** What `regions` must hold, asked of the source. */
export const REGIONS_SQL = `
  select region, count(*)::int as orders, sum(amount)::bigint as amount, sum(total)::bigint as total
  from (${ENRICHED_SQL}) e where region is not null group by region`
