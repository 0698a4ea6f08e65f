/** The newest records of the log in memory, so that consumers who keep up never read the disk. */
import { giveBody } from "../body-pool.js";
import type { LogRecord } from "./log-record.js";

/** A queue of records in ascending sequence, bounded in bytes; the oldest leave first. */
export class RecentRecords {
  private readonly bytesMax: number;
  private records: LogRecord[] = [];
  /** Records before this index have left. */
  private head = 0;
  private bytes = 0;
  /** Every kept record of this sequence or a later one is here. */
  private completeFrom: number;

  constructor(bytesMax: number, completeFrom: number) {
    this.bytesMax = bytesMax;
    this.completeFrom = completeFrom;
  }

  push(record: LogRecord): void {
    this.records.push(record);
    this.bytes += record.body.length;
    while (this.bytes > this.bytesMax) this.dropOldest();
  }

  /** Whether the record after `sequence`, if there is one, must be here. */
  covers(sequence: number): boolean {
    return sequence + 1 >= this.completeFrom;
  }

  /** The first record after `sequence`; undefined when there is none. */
  after(sequence: number): LogRecord | undefined {
    let low = this.head;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.records[middle] as LogRecord).sequence <= sequence) low = middle + 1;
      else high = middle;
    }
    return this.records[low];
  }

  /** Lets go of records that everyone is done with: their memory is used again. */
  dropThrough(sequence: number): void {
    while (this.head < this.records.length) {
      const record = this.records[this.head] as LogRecord;
      if (record.sequence > sequence) return;
      this.dropOldest();
      giveBody(record.body);
    }
  }

  private dropOldest(): void {
    const record = this.records[this.head++] as LogRecord;
    this.bytes -= record.body.length;
    this.completeFrom = record.sequence + 1;
    // Moving the rest now and then keeps the cost of a record constant.
    if (this.head > 64 && this.head * 2 > this.records.length) {
      this.records = this.records.slice(this.head);
      this.head = 0;
    }
  }
}
