/** Makes snapshots at most so often, and only when something changed. */
export type SnapshotSource<Snapshot> = {
	snapshot(): Snapshot;
	subscribe(listener: () => void): () => void;
	/** Something a snapshot shows has changed. */
	touch(): void;
	stop(): void;
};

/**
 * @param build makes a snapshot from the engine's parts; called on a timer, never per event
 * @param options.interval milliseconds between two snapshots
 * @param options.tick called at each interval before anything else: reads meters, and says whether they changed
 */
export function createSnapshotSource<Snapshot>(
	build: () => Snapshot,
	options: {interval?: number; tick?: () => boolean} = {},
): SnapshotSource<Snapshot> {
	const listeners = new Set<() => void>();
	let dirty = false;
	let current: Snapshot | undefined;
	const timer = setInterval(() => {
		if (options.tick?.()) dirty = true;
		if (!dirty || listeners.size === 0) return;
		dirty = false;
		current = build();
		for (const listener of listeners) listener();
	}, options.interval ?? 120);
	timer.unref();
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
		},
		stop: () => clearInterval(timer),
	};
}
