import { fileRejectedSink, json, kinesisHandler } from '@org/kinesis-processor'
import { postgresSink } from '@org/kinesis-processor/postgres'
import { Pool } from 'pg'
import { z } from 'zod'

const order = z.object({ id: z.string().min(1), customer: z.string().min(1), amount: z.number() })
type Order = z.infer<typeof order>

// CREATE TABLE orders (id text PRIMARY KEY, customer text NOT NULL, amount numeric, arrived timestamptz, position numeric)
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 1, statement_timeout: 10_000 })
pool.on('error', console.warn) // an idle connection that the server ends

export const handler = kinesisHandler({
  decode: json(order),
  sink: postgresSink<Order>({
    client: pool,
    tableName: 'orders',
    key: ['id'],
    columns: {
      id: ({ id }) => id,
      customer: ({ customer }) => customer,
      amount: ({ amount }) => amount,
      arrived: (_, { arrivalMs }) => new Date(arrivalMs),
    },
    positionColumn: 'position', // an older record never overwrites a newer one
  }),
  rejected: fileRejectedSink({ folder: process.env.REJECTED_FOLDER ?? 'rejected' }),
})
