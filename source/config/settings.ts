import {hostname} from 'node:os';
import * as z from 'zod';
import {defaultPorts, formatAddress, parseAddress, parseHost, parsePort} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import {type InviteLink, looksLikeInvite, parseInvite} from '../core/invite-link.ts';
import {absoluteFolder} from './data-folders.ts';
import type {DhtSettings, PeerOptions, ServerOptions} from './options.ts';
import {type Preferences, preferenceShape} from './preferences.ts';

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
	/** Bytes per second: `5M`, `500K`, or a number; null: none. */
	limitDown?: string | number | null;
	limitUp?: string | number | null;
	slots?: string | number;
	running?: string | number;
	/** Whether a server tells the LAN that it is there; `--no-announce`. */
	announce?: boolean;
	/** Whether a server's network becomes private, or open. */
	private?: boolean;
	open?: boolean;
	/** Where a server keeps its index: a Redis Cluster's address; without it, its own database. */
	store?: string;
	/** Most files of one peer, and days until a peer that is not seen is forgotten; a server's. */
	maxFilesPerPeer?: string | number;
	retentionDays?: string | number;
	/** Takes part in the distributed hash table; `network` and `bootstrap` say in which one. */
	dht?: boolean;
	network?: string;
	bootstrap?: string[];
	/** Peers that get nothing from this one; config file only, see `p2p-tui block`. */
	block?: string[];
	/** Peer IDs that a shared folder (absolute) is for, none for nobody; config file only, see `p2p-tui share`. */
	shareFor?: Record<string, string[]>;
};

/** A blocked peer: its ID, or the start of it, long enough to mean one. */
export const blockPattern = /^[0-9a-f]{8,64}$/;
/** Each is compared with every caller. */
const mostBlocked = 10_000;
/** Peers that one share can be for. */
const mostNamed = 1000;

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
		announce: z.boolean(),
		store: z.string(),
		maxFilesPerPeer: z.union([z.string(), z.int()]),
		retentionDays: z.union([z.string(), z.int()]),
		dht: z.boolean(),
		network: z.string(),
		bootstrap: z.array(z.string()),
		block: z.array(z.string().regex(blockPattern, 'must be a peer ID or its first 8 digits or more')).max(mostBlocked),
		shareFor: z.record(
			z.string(),
			z.array(z.string().regex(/^[0-9a-f]{64}$/, 'must be a whole peer ID')).max(mostNamed),
		),
		...preferenceShape,
	})
	.partial()
	.strict();

/** What a config file may hold: what flags can say, and what is set on the screen. */
export type FileSettings = Flags & Preferences;

/** Reads the text of a config file. @throws P2pError usage naming the file and the place */
export function parseConfigFile(text: string, file: string): FileSettings {
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
		limitDown: environment.P2P_TUI_LIMIT_DOWN,
		limitUp: environment.P2P_TUI_LIMIT_UP,
		slots: environment.P2P_TUI_SLOTS,
		running: environment.P2P_TUI_RUNNING,
		announce: yesOrNo('P2P_TUI_ANNOUNCE', environment.P2P_TUI_ANNOUNCE),
		store: environment.P2P_TUI_STORE,
		maxFilesPerPeer: environment.P2P_TUI_MAX_FILES_PER_PEER,
		retentionDays: environment.P2P_TUI_RETENTION_DAYS,
		dht: yesOrNo('P2P_TUI_DHT', environment.P2P_TUI_DHT),
		network: environment.P2P_TUI_NETWORK,
		bootstrap: list(environment.P2P_TUI_BOOTSTRAP),
	};
}

/** @throws P2pError usage */
function yesOrNo(name: string, text: string | undefined): boolean | undefined {
	if (text === undefined || text === '') return undefined;
	if (/^(1|true|yes|on)$/i.test(text)) return true;
	if (/^(0|false|no|off)$/i.test(text)) return false;
	throw new P2pError('usage', `${name} must be yes or no, got ${text}`);
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

/** Files of one peer: more do not fit into one upload. */
const mostFiles = 10_000_000;
/** Days that a server may keep what a peer shared that is not seen. */
const mostDays = 36_500;

/** What a server is started with. @throws P2pError usage */
export function serverOptions(flags: Flags, dataDir: string): ServerOptions {
	return {
		dataDir,
		host: flags.host === undefined ? undefined : parseHost(flags.host),
		port: flags.port === undefined ? undefined : parsePort(flags.port),
		name: nickname(flags.name),
		announce: flags.announce,
		private: privateOrOpen(flags),
		store: flags.store === undefined ? undefined : redisUrl(flags.store),
		maxFilesPerPeer: parseCount(flags.maxFilesPerPeer, 'files per peer', mostFiles),
		retentionDays: parseCount(flags.retentionDays, 'days', mostDays),
		dht: dhtSettings(flags),
	};
}

/** The distributed hash table, where it was asked for. @throws P2pError usage */
export function dhtSettings(flags: Flags): DhtSettings | undefined {
	const {dht, network, bootstrap} = flags;
	if (dht !== true) {
		if (dht === undefined && (network !== undefined || (bootstrap?.length ?? 0) > 0))
			throw new P2pError('usage', '--network and --bootstrap go with --dht', {hint: 'Add --dht'});
		return undefined;
	}
	return {
		network: network === undefined ? undefined : nickname(network),
		bootstrap: (bootstrap ?? []).map(text => parseAddress(text, defaultPorts.peer)),
	};
}

function privateOrOpen(flags: Flags): boolean | undefined {
	if (flags.private && flags.open) throw new P2pError('usage', 'Either --private or --open, not both');
	if (flags.private) return true;
	return flags.open ? false : undefined;
}

/** @throws P2pError usage */
function redisUrl(text: string): string {
	if (/^rediss?:\/\/./i.test(text)) return text;
	throw new P2pError('usage', `Not a place for the index: ${text}`, {
		hint: 'Write --store redis://HOST:PORT for a Redis Cluster; without --store the index lies in the data folder',
	});
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
		...readServers(flags.server),
		shares: [...new Set((flags.share ?? []).map(absoluteFolder))],
		downloads: absoluteFolder(flags.downloads ?? 'downloads'),
		prefix,
		limitDown: parseRate(flags.limitDown),
		limitUp: parseRate(flags.limitUp),
		slots: parseCount(flags.slots, 'slots', mostSlots),
		running: parseCount(flags.running, 'downloads at once', mostRunning),
	};
}

/** Peers that are sent to at once, and downloads that run at once, at most: what one machine can serve and oversee. */
export const [mostSlots, mostRunning] = [500, 100];

const rateUnits: Record<string, number> = {'': 1, K: 1e3, M: 1e6, G: 1e9};

/**
 * A limit as typed: bytes per second, with K, M or G for thousands, millions or billions; 0 is none.
 *
 * @throws P2pError usage
 */
export function parseRate(value: string | number | null | undefined): number | undefined {
	if (value === null || value === undefined) return undefined;
	const match = /^(\d{1,12}(?:\.\d{1,3})?)\s*([KMG]?)(?:B(?:\/s)?)?$/i.exec(String(value).trim());
	if (!match) throw new P2pError('usage', `Not a limit: ${value}`, {hint: 'Bytes per second, such as 500K or 5M'});
	const rate = Math.round(Number(match[1]) * rateUnits[match[2]!.toUpperCase()]!);
	if (rate !== 0 && rate < 1000)
		throw new P2pError('usage', `A limit of ${rate} bytes per second is too low`, {hint: 'The least is 1K'});
	return rate || undefined;
}

/** A whole number of something, from 1. @throws P2pError usage */
export function parseCount(value: string | number | undefined, what: string, most: number): number | undefined {
	if (value === undefined) return undefined;
	const count = /^\d{1,9}$/.test(String(value)) ? Number(value) : 0;
	if (count < 1 || count > most) throw new P2pError('usage', `Not a number of ${what} from 1 to ${most}: ${value}`);
	return count;
}

/** Index servers as typed: each address once, and what invite links say. @throws P2pError usage */
export function readServers(texts: string[] = []): {servers: string[]; invites: InviteLink[]} {
	const invites = texts.filter(looksLikeInvite).map(parseInvite);
	return {servers: [...new Set(texts.map(serverAddress))], invites};
}

/** An index server as typed (an address, or an invite link to it), as HOST:PORT. @throws P2pError usage */
export function serverAddress(text: string): string {
	if (looksLikeInvite(text)) return formatAddress(parseInvite(text));
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
