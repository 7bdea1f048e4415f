import {P2pError} from '../core/errors.ts';
import {lockFolder} from '../core/folder-lock.ts';

/** Does work on a data folder that nothing else uses meanwhile. @throws P2pError in-use while a peer or server runs with it */
export async function whileStopped<T>(dataDir: string, work: () => T | Promise<T>): Promise<T> {
	const lock = lockFolder(dataDir);
	if (!lock) {
		throw new P2pError('in-use', `A p2p-tui runs with the data folder ${dataDir}`, {hint: 'Stop it first'});
	}
	try {
		return await work();
	} finally {
		lock.release();
	}
}
