/** What ends a {@link pumpUntil}. */
export type Settle<T> = {resolve(end: T): void; reject(error: unknown): void};

const everyMs = 250;

/**
 * Pumps at once and then a few times a second, until it is settled or the signal aborts.
 *
 * @param begin given what settles it, before the first pumping
 * @throws what it is rejected with; the signal's reason
 */
export async function pumpUntil<T>(
	signal: AbortSignal,
	begin: (settle: Settle<T>) => void,
	pump: () => void,
): Promise<T> {
	const {promise, resolve, reject} = Promise.withResolvers<T>();
	const abort = () => reject(signal.reason);
	begin({resolve, reject});
	const timer = setInterval(pump, everyMs);
	signal.addEventListener('abort', abort, {once: true});
	try {
		signal.throwIfAborted();
		pump();
		return await promise;
	} finally {
		clearInterval(timer);
		signal.removeEventListener('abort', abort);
	}
}
