import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, TransactionSettings } from 'kysely'
import { storeFault } from './store-fault.js'

/** `dialect`, whose errors are Faults. */
export function faultDialect(dialect: Dialect, where: string): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createDriver: () => new FaultDriver(dialect.createDriver(), where),
    createIntrospector: (kysely) => dialect.createIntrospector(kysely),
    createQueryCompiler: () => dialect.createQueryCompiler(),
  }
}

class FaultDriver implements Driver {
  readonly #driver: Driver
  readonly #where: string

  constructor(driver: Driver, where: string) {
    this.#driver = driver
    this.#where = where
  }

  init(): Promise<void> {
    return this.#telling(() => this.#driver.init())
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await this.#telling(() => this.#driver.acquireConnection())
    return new FaultConnection(connection, this.#where)
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return this.#telling(() => this.#driver.beginTransaction(inner(connection), settings))
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#telling(() => this.#driver.commitTransaction(inner(connection)))
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#telling(() => this.#driver.rollbackTransaction(inner(connection)))
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    return this.#driver.releaseConnection(inner(connection))
  }

  destroy(): Promise<void> {
    return this.#driver.destroy()
  }

  async #telling<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work()
    } catch (error) {
      throw storeFault(error, this.#where)
    }
  }
}

class FaultConnection implements DatabaseConnection {
  readonly connection: DatabaseConnection
  readonly #where: string

  constructor(connection: DatabaseConnection, where: string) {
    this.connection = connection
    this.#where = where
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      return await this.connection.executeQuery<Row>(query)
    } catch (error) {
      throw storeFault(error, this.#where)
    }
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.connection.streamQuery<Row>(query, chunkSize)
  }
}

function inner(connection: DatabaseConnection): DatabaseConnection {
  return connection instanceof FaultConnection ? connection.connection : connection
}
