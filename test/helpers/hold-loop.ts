/** Holds this thread's event loop, as a busy machine does: timers that came due meanwhile run in its next turn. */
export function holdLoop(milliseconds: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
