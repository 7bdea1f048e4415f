import {setTimeout as sleep} from 'node:timers/promises';

/** Waits until a condition holds; returns how many milliseconds that took. @throws after two minutes */
export async function until(condition: () => Promise<boolean>): Promise<number> {
	const started = performance.now();
	while (!(await condition())) {
		if (performance.now() - started > 120_000) throw new Error('waited in vain');
		await sleep(2);
	}
	return performance.now() - started;
}
