/** Milliseconds that an answer waited here for something other than its reader. */
export type SenderWaits = {disk: number; limit: number};

/** The last answer on each connection, and how much of its waits a head has told already. */
const last = new WeakMap<object, {waits: SenderWaits; told: SenderWaits}>();

/**
 * `Server-Timing` (W3C): what this answer has waited for so far, and what the one before it on the same connection waited
 * for after its head was sent. So the other side can tell whether our disk or our limit holds it up, or the link.
 */
export function serverTiming(connection: object | null, waits: SenderWaits): Record<string, string> {
	if (!connection) return {};
	const before = last.get(connection);
	const untold = (what: keyof SenderWaits) => waits[what] + (before ? before.waits[what] - before.told[what] : 0);
	const text = `disk;dur=${untold('disk').toFixed(1)}, limit;dur=${untold('limit').toFixed(1)}`;
	last.set(connection, {waits, told: {...waits}});
	return {'server-timing': text};
}
