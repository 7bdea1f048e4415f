import {hostname} from 'node:os';
import {z} from 'zod';
import {defaultPorts, formatAddress, parseAddress, parseHost, parsePort} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {absoluteFolder} from './data-folders.ts';
import type {PeerOptions, ServerOptions} from './options.ts';

/** What a person typed, by flag name; everything may be missing. */
export type Flags = {
	host?: string;
	port?: string;
	server?: string[];
	share?: string[];
	downloads?: string;
	name?: string;
	dataDir?: string;
	prefix?: string;
};

/** The file `config.json` of a data folder, and the environment, say the same things as the flags. */
const fileSchema = z
	.object({
		host: z.string(),
		port: z.union([z.string(), z.int()]).transform(String),
		server: z.array(z.string()),
		share: z.array(z.string()),
		downloads: z.string(),
		name: z.string(),
		prefix: z.string(),
	})
	.partial()
	.strict();

/** Reads the text of a config file. @throws P2pError usage naming the file and the place */
export function parseConfigFile(text: string, file: string): Flags {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw new P2pError('usage', `${file} is not valid JSON: ${(cause as Error).message}`, {cause});
	}
	const parsed = fileSchema.safeParse(value);
	if (parsed.success) return parsed.data;
	const issue = parsed.error.issues[0];
	throw new P2pError('usage', `${file}: ${issue?.path.join('.') || 'settings'}: ${issue?.message}`);
}

/** The settings that the environment gives: `P2P_TUI_SERVER`, `P2P_TUI_NAME`… Lists are separated by commas. */
export function environmentFlags(environment: NodeJS.ProcessEnv): Flags {
	const list = (text: string | undefined) => text?.split(',').filter(part => part.trim() !== '');
	return {
		host: environment.P2P_TUI_HOST,
		port: environment.P2P_TUI_PORT,
		server: list(environment.P2P_TUI_SERVER),
		share: list(environment.P2P_TUI_SHARE),
		downloads: environment.P2P_TUI_DOWNLOADS,
		name: environment.P2P_TUI_NAME,
		dataDir: environment.P2P_TUI_DATA_DIR,
		prefix: environment.P2P_TUI_PREFIX,
	};
}

/** Flags over environment over file: the first that says something wins, setting by setting. */
export function mergeFlags(...layers: Flags[]): Flags {
	const merged: Flags = {};
	for (const layer of layers.toReversed()) {
		for (const [key, value] of Object.entries(layer)) {
			if (value !== undefined && !(Array.isArray(value) && value.length === 0)) Object.assign(merged, {[key]: value});
		}
	}
	return merged;
}

/** What a server is started with. @throws P2pError usage */
export function serverOptions(flags: Flags, dataDir: string): ServerOptions {
	return {
		dataDir,
		host: flags.host === undefined ? undefined : parseHost(flags.host),
		port: flags.port === undefined ? undefined : parsePort(flags.port),
		name: nickname(flags.name),
	};
}

/** What a peer is started with. @throws P2pError usage */
export function peerOptions(flags: Flags, dataDir: string): PeerOptions {
	const prefix = flags.prefix ?? 'downloaded_';
	if (/[/\\\0]/.test(prefix) || Buffer.byteLength(prefix) > 64) {
		throw new P2pError('usage', `Not a prefix for a file name: ${prefix}`, {
			hint: 'Leave out slashes, and keep it under 64 bytes',
		});
	}
	return {
		...serverOptions(flags, dataDir),
		servers: [...new Set((flags.server ?? []).map(serverAddress))],
		shares: [...new Set((flags.share ?? []).map(absoluteFolder))],
		downloads: absoluteFolder(flags.downloads ?? 'downloads'),
		prefix,
	};
}

/** An index server as typed, as HOST:PORT. @throws P2pError usage */
export function serverAddress(text: string): string {
	return formatAddress(parseAddress(text, defaultPorts.server));
}

/** A nickname as others will see it: the host's own name where none was given. @throws P2pError usage */
function nickname(text: string | undefined): string {
	if (text === undefined) return hostname().split('.')[0]?.slice(0, 64) || 'peer';
	const name = text.trim();
	if (name === '' || name.length > 64) throw new P2pError('usage', `A name has 1 to 64 characters, got ${name.length}`);
	if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) throw new P2pError('usage', 'A name has no control characters');
	return name;
}
