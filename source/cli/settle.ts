import {configFile} from '../config/config-file.ts';
import {type OwnedDataFolder, ownDataFolder} from '../config/data-folders.ts';
import {lastServers} from '../config/remembered.ts';
import {type Flags, mergeFlags} from '../config/settings.ts';

/** Takes the data folder of a mode, and puts the settings of its config file under those given. */
export function settle(mode: 'server' | 'peer', given: Flags): {flags: Flags; owned: OwnedDataFolder} {
	const owned = ownDataFolder(mode, given.dataDir);
	if (owned.lock.mended.length > 0) {
		process.stderr.write(
			`p2p-tui: others could read ${owned.lock.mended.join(', ')} in the data folder ${owned.folder}; now only you can\n`,
		);
	}
	try {
		return {flags: mergeFlags(given, configFile(owned.folder)), owned};
	} catch (error) {
		owned.lock.release();
		throw error;
	}
}

/** A peer's servers: those named, else those used last; none where it does without. */
export function withLastServers(flags: Flags, dataDir: string): Flags {
	return flags.server === undefined && flags.dht !== true ? {...flags, server: lastServers(dataDir)} : flags;
}
