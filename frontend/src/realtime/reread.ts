const RETRY_MS = 2000;

/**
 * Read a room's snapshot again when something of it was missed. Gaps that show while one is being read lead to one more
 * reading, not to many; a reading that fails is tried again until it works or `stop` is called.
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
        // Whatever kept it from being read, the values stay known as old by their age; try again in a while.
        state.again = true;
        await this.wait(RETRY_MS);
      }
    }
    this.running.delete(locationId);
  }
}
