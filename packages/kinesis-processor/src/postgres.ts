export type { PostgresClient, PostgresSinkOptions } from './postgres/postgres-options.js'
export { postgresSink } from './postgres/postgres-sink.js'
