/** Protocol error codes that we act on or speak of (https://kafka.apache.org/protocol#protocol_error_codes). */
export const errors = {
  UNKNOWN_SERVER_ERROR: -1, OFFSET_OUT_OF_RANGE: 1, CORRUPT_MESSAGE: 2, UNKNOWN_TOPIC_OR_PARTITION: 3, LEADER_NOT_AVAILABLE: 5, NOT_LEADER_OR_FOLLOWER: 6,
  REQUEST_TIMED_OUT: 7, REPLICA_NOT_AVAILABLE: 9, MESSAGE_TOO_LARGE: 10, NETWORK_EXCEPTION: 13, COORDINATOR_LOAD_IN_PROGRESS: 14, COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16, INVALID_TOPIC: 17, RECORD_LIST_TOO_LARGE: 18, NOT_ENOUGH_REPLICAS: 19, NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  ILLEGAL_GENERATION: 22, UNKNOWN_MEMBER_ID: 25, REBALANCE_IN_PROGRESS: 27, TOPIC_AUTHORIZATION_FAILED: 29, GROUP_AUTHORIZATION_FAILED: 30, CLUSTER_AUTHORIZATION_FAILED: 31, INVALID_TIMESTAMP: 32,
  UNSUPPORTED_VERSION: 35, TOPIC_ALREADY_EXISTS: 36, INVALID_PARTITIONS: 37, INVALID_REPLICATION_FACTOR: 38, INVALID_CONFIG: 40, NOT_CONTROLLER: 41, POLICY_VIOLATION: 44,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45, DUPLICATE_SEQUENCE_NUMBER: 46, INVALID_PRODUCER_EPOCH: 47, INVALID_TXN_STATE: 48, INVALID_PRODUCER_ID_MAPPING: 49,
  CONCURRENT_TRANSACTIONS: 51, TRANSACTION_COORDINATOR_FENCED: 52, TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53, OPERATION_NOT_ATTEMPTED: 55, KAFKA_STORAGE_ERROR: 56,
  UNKNOWN_PRODUCER_ID: 59, FENCED_LEADER_EPOCH: 74, UNKNOWN_LEADER_EPOCH: 75, INVALID_RECORD: 87, UNSTABLE_OFFSET_COMMIT: 88, PRODUCER_FENCED: 90,
  UNKNOWN_TOPIC_ID: 100, INCONSISTENT_TOPIC_ID: 103, TRANSACTIONAL_ID_NOT_FOUND: 105, TRANSACTION_ABORTABLE: 120,
} as const;
export type ErrorName = keyof typeof errors;

const names = new Map<number, ErrorName>(Object.entries(errors).map(([name, code]) => [code, name as ErrorName]));

const errorName = (code: number): ErrorName | `error ${number}` => names.get(code) ?? `error ${code}`;

/** A broker said no. */
export class KafkaError extends Error {
  readonly code: number;
  constructor(code: number, what: string) {
    super(`${what}: ${errorName(code)}`);
    this.name = 'KafkaError';
    this.code = code;
  }

  is(...wanted: readonly ErrorName[]): boolean { return wanted.some(name => errors[name] === this.code); }
}

/** No answer: the connection could not be made or broke, or the time was up. Whether the broker did what was asked is not known. */
export class ConnectionLost extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ConnectionLost';
  }
}

export const check = (code: number, what: string): void => {
  if (code !== 0) throw new KafkaError(code, what);
};

/** Cured by asking again, of another broker perhaps: leaders and coordinators move, and load their state at start. */
const passing: ReadonlySet<number> = new Set(([
  'UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'REPLICA_NOT_AVAILABLE', 'NETWORK_EXCEPTION', 'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'NOT_CONTROLLER', 'CONCURRENT_TRANSACTIONS', 'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'UNSTABLE_OFFSET_COMMIT', 'UNKNOWN_TOPIC_ID',
] satisfies ErrorName[]).map(name => errors[name]));

export const isPassing = (error: unknown): boolean => error instanceof ConnectionLost || (error instanceof KafkaError && passing.has(error.code));
