import {readdirSync, readFileSync} from 'node:fs';
import {setPriority} from 'node:os';

/**
 * Lets other threads of the process go first where cores are few. Linux alone takes the calling thread where others take
 * all of them; elsewhere nothing happens.
 *
 * @param niceness how much it gives way, 1 to 19: setpriority(2)
 */
export function giveWay(niceness: number): void {
	if (process.platform !== 'linux') return;
	try {
		setPriority(0, niceness);
	} catch {
		// Not allowed here; it works all the same.
	}
}

/**
 * Lets V8's helper threads, which all threads of the process share, give way to those: they collect garbage and compile, and
 * where cores are few the kernel leaves them on a core for several milliseconds while somebody waits for an answer. On Linux
 * alone; elsewhere, and where Node does not name its threads, nothing happens.
 *
 * @param niceness how much they give way, 1 to 19: setpriority(2)
 * @returns how many do
 */
export function helpersGiveWay(niceness: number): number {
	if (process.platform !== 'linux') return 0;
	let count = 0;
	try {
		for (const thread of readdirSync('/proc/self/task')) {
			// Where it gives its threads names, Node calls them so: node_platform.cc.
			if (readFileSync(`/proc/self/task/${thread}/comm`, 'latin1') !== 'V8Worker\n') continue;
			setPriority(Number(thread), niceness);
			count++;
		}
	} catch {
		// Not allowed here, or no such folder; it works all the same.
	}
	return count;
}
