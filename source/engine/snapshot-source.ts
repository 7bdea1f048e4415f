/** Makes snapshots at most so often, and only when something changed. */
export type SnapshotSource<Snapshot> = {
	snapshot(): Snapshot;
	subscribe(listener: () => void): () => void;
	/** Something a snapshot shows has changed. */
	touch(): void;
	stop(): void;
};

/** Where nothing changes the clock ticks this many times slower, until something does. */
const idleFactor = 5;

/**
 * @param build makes a snapshot from the engine's parts; called on a timer, never per event
 * @param options.interval milliseconds between two snapshots
 * @param options.tick called at each interval before anything else: reads meters, and says whether they changed
 */
export function createSnapshotSource<Snapshot>(
	build: () => Snapshot,
	options: {interval?: number; tick?: () => boolean} = {},
): SnapshotSource<Snapshot> {
	const {interval = 120} = options;
	const listeners = new Set<() => void>();
	let dirty = false;
	let current: Snapshot | undefined;
	let timer: NodeJS.Timeout | undefined;
	let isIdle = false;
	let isStopped = false;
	const schedule = (idle: boolean) => {
		isIdle = idle;
		timer = setTimeout(beat, idle ? interval * idleFactor : interval).unref();
	};
	const beat = () => {
		if (isStopped) return;
		if (options.tick?.()) dirty = true;
		const isMoving = dirty && listeners.size > 0;
		schedule(!isMoving);
		if (!isMoving) return;
		dirty = false;
		current = build();
		for (const listener of listeners) listener();
	};
	schedule(false);
	return {
		snapshot() {
			if (current === undefined || (dirty && listeners.size === 0)) {
				dirty = false;
				current = build();
			}
			return current;
		},
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		touch() {
			dirty = true;
			if (!isIdle || isStopped || listeners.size === 0) return;
			clearTimeout(timer);
			schedule(false);
		},
		stop() {
			isStopped = true;
			clearTimeout(timer);
		},
	};
}
