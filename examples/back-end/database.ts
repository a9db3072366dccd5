import Libsql from "libsql";

/** What a column holds, and what a parameter may be: `libsql` ends the whole process over anything else. */
type Value = string | number | null;

/** Parameters by the names they have in the SQL, without the `@`; what is undefined becomes NULL. */
export type Parameters = Readonly<Record<string, Value | undefined>>;

/** Which part of a list is wanted, the latest first. */
export interface Page {
  /** Only what was there before this number: that of the last one on the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What `before` is on the first page. */
export const latest = Number.MAX_SAFE_INTEGER;

/** One prepared SQL statement whose rows look like `Row`. */
export interface Statement<Row> {
  all(parameters?: Parameters): Row[];
  /** The first row; `undefined` when there is none. */
  one(parameters?: Parameters): Row | undefined;
  /** How many rows were changed. */
  run(parameters?: Parameters): number;
}

/**
 * The SQLite file of the back end.
 *
 * What is written is on the disk when the call returns, power cut or not: a charger forgets a transaction as soon as it
 * has our answer, so the answer must not leave before that.
 */
export class Database {
  readonly #connection: Libsql.Database;

  /**
   * Opens a file, or creates it, and brings its schema up to date.
   *
   * @throws Error The file is of a later version of this program, or no database.
   */
  constructor(file: string) {
    this.#connection = new Libsql(file, { timeout: 5000 });
    this.#connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    this.#migrate();
  }

  /** @throws SqliteError The SQL is wrong, or a table is missing. */
  prepare<Row = unknown>(sql: string): Statement<Row> {
    const statement = this.#connection.prepare(sql);
    const all = (parameters: Parameters = {}): Row[] => statement.all(bindable(parameters)) as Row[];
    return {
      all,
      one: (parameters) => all(parameters)[0],
      run: (parameters = {}) => this.#within(() => statement.run(bindable(parameters)).changes),
    };
  }

  /** Runs `work` as one transaction: all that it writes is written, or, when it throws, nothing. Not to be nested. */
  atomic<Result>(work: () => Result): Result {
    return this.#connection.transaction(work).immediate();
  }

  /**
   * A statement that finds the file locked stays in progress, and from then on nothing can be committed. So every write
   * begins with BEGIN, which is what finds it locked then.
   */
  #within<Result>(work: () => Result): Result {
    return this.#connection.inTransaction ? work() : this.atomic(work);
  }

  close(): void {
    this.#connection.close();
  }

  #migrate(): void {
    const version = this.prepare<{ user_version: number }>("PRAGMA user_version").one()?.user_version ?? 0;
    if (version > migrations.length) {
      throw new Error(`The database is of version ${version}; this program knows up to ${migrations.length}.`);
    }
    for (const [index, sql] of migrations.entries()) {
      if (index < version) continue;
      this.atomic(() => this.#connection.exec(`${sql}; PRAGMA user_version = ${index + 1}`));
    }
  }
}

/** Chargers may send any text; SQLite would end it at the first NUL, and make one idTag out of two. */
function bindable(parameters: Parameters): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value = null]) => [
      name,
      typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value,
    ]),
  );
}

/**
 * What turns each version of the schema into the next. One that has been released is never changed: add another.
 *
 * Columns have the names of the fields in OCPP. A moment that a charger sent stays the text that it sent. NOCASE: an idTag
 * is case-insensitive.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE chargers (
    identity TEXT PRIMARY KEY,
    admission TEXT NOT NULL CHECK (admission IN ('Accepted', 'Pending', 'Rejected')), -- what the operator has decided
    registration TEXT CHECK (registration IN ('Accepted', 'Pending', 'Rejected')),    -- what the charger has been told
    credentials TEXT, -- JSON, with hashes of AuthorizationKeys; NULL: none
    chargePointVendor TEXT,
    chargePointModel TEXT,
    chargePointSerialNumber TEXT,
    firmwareVersion TEXT,
    lastBootAt TEXT,
    lastSeenAt TEXT
  ) STRICT;

  CREATE TABLE connectors (
    identity TEXT NOT NULL REFERENCES chargers,
    connectorId INTEGER NOT NULL, -- 0: the charger itself
    status TEXT NOT NULL,
    errorCode TEXT NOT NULL,
    info TEXT,
    timestamp TEXT NOT NULL,
    PRIMARY KEY (identity, connectorId)
  ) STRICT;

  CREATE TABLE idTags (
    idTag TEXT PRIMARY KEY COLLATE NOCASE,
    status TEXT NOT NULL CHECK (status IN ('Accepted', 'Blocked', 'Expired', 'Invalid')),
    expiryDate TEXT,
    parentIdTag TEXT
  ) STRICT;

  CREATE TABLE reservations (
    identity TEXT NOT NULL REFERENCES chargers,
    reservationId INTEGER NOT NULL,
    connectorId INTEGER NOT NULL, -- 0: any
    idTag TEXT NOT NULL COLLATE NOCASE,
    parentIdTag TEXT,
    expiryDate TEXT NOT NULL,
    status TEXT NOT NULL,
    transactionId INTEGER,
    PRIMARY KEY (identity, reservationId)
  ) STRICT;

  CREATE TABLE transactions (
    transactionId INTEGER PRIMARY KEY AUTOINCREMENT CHECK (transactionId BETWEEN 1 AND 2147483647),
    startKey TEXT NOT NULL UNIQUE, -- transactionMessageKey: a message that was sent twice is stored once
    identity TEXT NOT NULL REFERENCES chargers,
    connectorId INTEGER NOT NULL,
    idTag TEXT NOT NULL COLLATE NOCASE,
    idTagStatus TEXT NOT NULL, -- what the charger was told about the idTag
    reservationId INTEGER,
    startedAt TEXT NOT NULL,
    meterStart INTEGER NOT NULL, -- Wh, as all meters here
    meterLatest REAL NOT NULL,
    meterFell INTEGER NOT NULL DEFAULT 0, -- whether a reading was lower than the one before, by more than rounding
    stopKey TEXT UNIQUE,
    stoppedAt TEXT,
    meterStop INTEGER,
    stopIdTag TEXT,
    stopReason TEXT
  ) STRICT;
  CREATE INDEX transactionsOfConnector ON transactions (identity, connectorId, transactionId);
  CREATE INDEX openTransactionsOfIdTag ON transactions (idTag) WHERE stoppedAt IS NULL;

  -- A connector has one transaction at a time: a later one proves that an earlier one is over, whose end got lost.
  CREATE VIEW runningTransactions AS
    SELECT * FROM transactions AS each
    WHERE stoppedAt IS NULL AND NOT EXISTS (
      SELECT * FROM transactions AS later
      WHERE later.identity = each.identity AND later.connectorId = each.connectorId
        AND later.transactionId > each.transactionId
    );

  -- What fits no transaction that runs, kept for people to look at.
  CREATE TABLE orphanedStops (
    stopKey TEXT PRIMARY KEY,
    identity TEXT NOT NULL REFERENCES chargers,
    transactionId INTEGER NOT NULL,
    stoppedAt TEXT NOT NULL,
    meterStop INTEGER NOT NULL,
    stopIdTag TEXT,
    stopReason TEXT NOT NULL
  ) STRICT;

  CREATE TABLE meterValues (
    messageKey TEXT NOT NULL,
    position INTEGER NOT NULL, -- in the message
    identity TEXT NOT NULL REFERENCES chargers,
    connectorId INTEGER NOT NULL,
    transactionId INTEGER, -- as the charger says, known or not
    timestamp TEXT NOT NULL,
    sampledValue TEXT NOT NULL, -- JSON
    PRIMARY KEY (messageKey, position)
  ) STRICT;
  CREATE INDEX meterValuesOfTransaction ON meterValues (transactionId, identity);
  `,
  `
  CREATE TABLE plausibility (
    identity TEXT PRIMARY KEY REFERENCES chargers,
    state TEXT NOT NULL -- JSON: what the checks of bills remember
  ) STRICT;

  CREATE TABLE suspicions (
    suspicionId INTEGER PRIMARY KEY AUTOINCREMENT,
    identity TEXT NOT NULL REFERENCES chargers,
    connectorId INTEGER,
    transactionId INTEGER, -- as the charger says, known or not
    rule TEXT NOT NULL,
    message TEXT NOT NULL,
    foundAt TEXT NOT NULL
  ) STRICT;
  CREATE INDEX suspicionsOfTransaction ON suspicions (transactionId, identity);

  CREATE TABLE sentLists (
    identity TEXT PRIMARY KEY REFERENCES chargers,
    list TEXT NOT NULL -- JSON: the Local Authorization List, with its version
  ) STRICT;
  `,
  `
  ALTER TABLE chargers ADD COLUMN forgottenAt TEXT; -- its bills stay, and so does the row they belong to
  `,
];
