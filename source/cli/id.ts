import path from 'node:path';
import {dataFolderFor} from '../config/data-folders.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {loadIdentity} from '../identity/identity.ts';
import {knownNetworks} from '../identity/known-networks.ts';
import {readMembership} from '../identity/membership.ts';
import {exportKey, importKey} from '../identity/move-key.ts';
import {type Command, printJson, printLine} from './context.ts';
import {whileStopped} from './while-stopped.ts';

/** `p2p-tui id`: whose data folder this is; `--export FILE` and `--import FILE` move the key. */
export const command: Command = async context => {
	const {mode = 'peer', flags, exportFile, importFile, force, json} = context;
	if (mode !== 'server' && mode !== 'peer') throw new P2pError('usage', `The mode is server or peer, not ${mode}`);
	if (context.input.length > 0) throw new P2pError('usage', `id takes no arguments, got ${context.input[0]}`);
	if (exportFile !== undefined && importFile !== undefined)
		throw new P2pError('usage', 'Either --export or --import, not both');
	const dataDir = dataFolderFor(mode, flags.dataDir);
	if (importFile !== undefined) {
		// It would go on under the old key.
		const {id, kept} = await whileStopped(dataDir, () => importKey(dataDir, named(importFile, '--import'), {force}));
		if (json) printJson({id, mode, dataDir, ...(kept && {kept})});
		else printLine(kept ? `${id} is installed; the key before it is ${kept}` : `${id} is installed in ${dataDir}`);
		return exitCodes.done;
	}
	if (exportFile !== undefined) {
		const file = named(exportFile, '--export');
		const id = await exportKey(dataDir, file);
		if (json) printJson({id, mode, dataDir, file});
		else printLine(`${file} is the key of ${id}: whoever has it is this ${mode}`);
		return exitCodes.done;
	}
	const {id} = await loadIdentity(dataDir);
	const networks = knownNetworks(dataDir).map(({server, address, name, membership}) => ({
		...{server, address, name, membership},
		expires: new Date(readMembership(membership)?.expires ?? 0).toISOString(),
	}));
	if (json) printJson({id, mode, dataDir, ...(networks.length > 0 && {networks})});
	else {
		printLine(`${`${mode} ID`.padEnd(11)}  ${id}`);
		printLine(`data folder  ${dataDir}`);
		for (const {address, name} of networks) printLine(displayText(`member of    ${name} at ${address}`));
	}
	return exitCodes.done;
};

/** @throws P2pError usage */
function named(file: string, flag: string): string {
	if (file === '') throw new P2pError('usage', `${flag} needs a file`);
	return path.resolve(file);
}
