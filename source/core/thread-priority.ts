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
