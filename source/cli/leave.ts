import {dataFolderFor} from '../config/data-folders.ts';
import {lastServers, rememberServers} from '../config/remembered.ts';
import {serverAddress} from '../config/settings.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {forgetNetwork} from '../identity/known-networks.ts';
import {type Command, printJson, printLine} from './context.ts';
import {whileStopped} from './while-stopped.ts';

/** `p2p-tui leave HOST[:PORT]`: forgets a private network, so that this data folder can be used in an open one. */
export const command: Command = async ({input, flags, json}) => {
	const [where, ...rest] = input;
	if (where === undefined || rest.length > 0)
		throw new P2pError('usage', 'Which network should be left?', {hint: 'p2p-tui leave HOST[:PORT], of its server'});
	const address = serverAddress(where);
	const dataDir = dataFolderFor('peer', flags.dataDir);
	const left = await whileStopped(dataDir, async () => {
		const network = await forgetNetwork(dataDir, address);
		if (!network) throw new P2pError('not-found', `No private network of ${address} was joined with ${dataDir}`);
		await rememberServers(
			dataDir,
			lastServers(dataDir).filter(server => server !== address),
		);
		return network;
	});
	if (json) printJson({address, server: left.server, name: left.name, left: true});
	else printLine(`${address} is forgotten. Its server goes on to list this peer until p2p-tui remove is run there`);
	return exitCodes.done;
};
