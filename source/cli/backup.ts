import path from 'node:path';
import {dataFolderFor} from '../config/data-folders.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {backUpIndex} from '../index/sqlite/open-database.ts';
import {type Command, printEvent, printLine} from './context.ts';

/** `p2p-tui backup FILE`: copies the index of this machine's server, also while the server runs. */
export const command: Command = async ({input, flags, json}) => {
	const [name] = input;
	if (name === undefined || input.length > 1) {
		throw new P2pError('usage', 'Into which file should the index be copied?', {
			hint: 'Example: p2p-tui backup index-monday.db',
		});
	}
	const target = path.resolve(name);
	const index = path.join(dataFolderFor('server', flags.dataDir), 'index.db');
	await backUpIndex(index, target);
	if (json) printEvent('backup', {path: target});
	else printLine(`The index is in ${target}. To use it, stop the server and put it in place of ${index}`);
	return exitCodes.done;
};
