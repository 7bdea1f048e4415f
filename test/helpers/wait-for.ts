/**
 * Waits until a condition holds, looking again every few milliseconds.
 *
 * @returns the first value of `probe` that is neither undefined nor false
 * @throws when `timeout` milliseconds have passed, naming what was waited for and the probe's last error
 */
export async function waitFor<T>(
	what: string,
	probe: () => T | undefined | false | Promise<T | undefined | false>,
	timeout = 60_000,
): Promise<T> {
	const end = Date.now() + timeout;
	let last: unknown;
	while (Date.now() < end) {
		try {
			const value = await probe();
			if (value !== undefined && value !== false) return value;
		} catch (error) {
			last = error;
		}
		await new Promise(resolve => setTimeout(resolve, 15));
	}
	throw new Error(`Waited ${timeout} ms in vain for ${what}`, {cause: last});
}
