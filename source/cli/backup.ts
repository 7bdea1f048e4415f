import {existsSync} from 'node:fs';
import path from 'node:path';
import {configFile} from '../config/config-file.ts';
import {dataFolderFor} from '../config/data-folders.ts';
import {mergeFlags} from '../config/settings.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {readModelName} from '../index/redis/read-model.ts';
import {backUpIndex} from '../index/sqlite/open-database.ts';
import {type Command, printEvent, printLine} from './context.ts';

/**
 * `p2p-tui backup FILE`: copies the index of this machine's server, also while the server runs. Of a server over a Redis
 * Cluster it is the one that it answers from, with how far it has the logs.
 */
export const command: Command = async ({input, flags, json}) => {
	const [name] = input;
	if (name === undefined || input.length > 1) {
		throw new P2pError('usage', 'Into which file should the index be copied?', {
			hint: 'Example: p2p-tui backup index-monday.db',
		});
	}
	const target = path.resolve(name);
	const folder = dataFolderFor('server', flags.dataDir);
	const [own, followed] = ['index.db', readModelName].map(file => path.join(folder, file)) as [string, string];
	const {store} = mergeFlags(flags, configFile(folder));
	const isOfCluster = store !== undefined || (!existsSync(own) && existsSync(followed));
	const index = isOfCluster ? followed : own;
	await backUpIndex(index, target);
	if (json) printEvent('backup', {path: target});
	else printLine(`The index is in ${target}. To use it, stop the server and put it in place of ${index}`);
	return exitCodes.done;
};
