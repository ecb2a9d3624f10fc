const RETRY_MS = 2000;

/**
 * Read a room's snapshot again after a gap in its updates. Gaps found while a read is running lead to one more read, not
 * to many; a read that fails is retried until it succeeds or `stop` is called.
 */
export class SnapshotReader {
  private readonly running = new Map<string, { again: boolean }>();
  private stopped = false;

  constructor(
    private readonly read: (locationId: string) => Promise<void>,
    private readonly wait: (ms: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms)),
  ) {}

  request(locationId: string): void {
    this.stopped = false;
    const running = this.running.get(locationId);
    if (running) running.again = true;
    else void this.run(locationId);
  }

  stop(): void {
    this.stopped = true;
  }

  private async run(locationId: string): Promise<void> {
    const state = { again: true };
    this.running.set(locationId, state);
    while (state.again && !this.stopped) {
      state.again = false;
      try {
        await this.read(locationId);
      } catch {
        // Until a read succeeds the values show their age, so nothing on screen is wrong.
        state.again = true;
        await this.wait(RETRY_MS);
      }
    }
    this.running.delete(locationId);
  }
}
