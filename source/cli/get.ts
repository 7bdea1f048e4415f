import path from 'node:path';
import {peerOptions} from '../config/settings.ts';
import {isContentId} from '../content/content-id.ts';
import {looksLikeFolderLink, parseFolderLink} from '../content/folder-link.ts';
import {looksLikeLink, parseLink} from '../content/link.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {formatBytes} from '../core/format.ts';
import {keepNurserySmall} from '../core/nursery.ts';
import {protectFolder} from '../core/private-folder.ts';
import {createDownloadManager} from '../download/manager.ts';
import type {DownloadRequest, FolderRequest} from '../download/types.ts';
import type {Router} from '../engine/directory.ts';
import {readPath} from '../engine/get-folder.ts';
import {chooseSources, findTarget} from '../engine/get-target.ts';
import {printEvents} from '../headless/print-events.ts';
import type {SecureClient} from '../net/secure-client.ts';
import {type Command, type CommandContext, printLine} from './context.ts';
import {withNetwork} from './network.ts';
import {showProgress} from './progress-line.ts';

/** `p2p-tui get <link|content ID|query>`: done only when every byte is verified and on disk. */
export const command: Command = async context => {
	const wanted = context.input.join(' ').trim();
	if (wanted === '')
		throw new P2pError('usage', 'What should be downloaded?', {
			hint: 'Give a name, a content ID or a link: p2p-tui get 1.txt',
		});
	const linked = looksLikeFolderLink(wanted)
		? parseFolderLink(wanted).servers
		: looksLikeLink(wanted)
			? parseLink(wanted).servers
			: [];
	return withNetwork(
		context,
		async ({identity, client, router, flags, dataDir, bus, memberships, dht}) => {
			const {downloads: folder, prefix, limitDown: limit, running} = peerOptions(flags, dataDir);
			const target = await whatIsMeant(router, client, wanted, context, dht);
			const manager = createDownloadManager({
				...{identity, bus, folder, prefix, limit, running, once: true, membership: memberships},
				database: path.join(dataDir, 'get.db'),
				findSources: async (content, signal) =>
					chooseSources(
						(await router.sources(content, signal)).sources.filter(source => source.online),
						context.from,
					),
			});
			const interactive = process.stderr.isTTY && !context.json;
			const stopPrinting = printEvents(bus, {
				json: context.json,
				write: printLine,
				only: context.json ? undefined : interactive ? ['log'] : ['download-started', 'download-finished', 'log'],
			});
			const stopProgress = interactive ? showProgress(bus, process.stderr) : undefined;
			try {
				await manager.start();
				keepNurserySmall();
				protectFolder(dataDir);
				const {key} = await ('files' in target ? manager.addFolder(target) : manager.add(target));
				const {path: arrived, alreadyThere} = await orAbort(manager.finished(key), context.signal);
				stopProgress?.();
				if (interactive)
					printLine(
						displayText(
							alreadyThere ? `Already there: ${arrived}` : `${arrived}  ${formatBytes(sizeOf(target))}, verified`,
						),
					);
				return exitCodes.done;
			} finally {
				stopProgress?.();
				await manager.stop();
				stopPrinting();
			}
		},
		linked,
	);
};

/** What a link to a folder names, a path of the one peer that --from names, or a file by link, content ID or search. */
async function whatIsMeant(
	router: Router,
	client: SecureClient,
	wanted: string,
	{from, signal, json}: CommandContext,
	dht: boolean,
): Promise<DownloadRequest | FolderRequest> {
	if (looksLikeFolderLink(wanted)) {
		if (from.length > 0) throw new P2pError('usage', 'A link to a folder names its peer: leave --from out');
		const {peer, path: inside} = parseFolderLink(wanted);
		// It says where the folder is; its large files come from whoever has them.
		return {...(await readPath(router, client, peer, inside, signal)), from: undefined};
	}
	// What `ls` prints comes before a search for its words.
	if (from.length === 1 && !looksLikeLink(wanted) && !isContentId(wanted)) {
		const found = await readPath(router, client, from[0]!, wanted, signal).catch(error => {
			// Then it is a name to search for, and the search says best what is wrong.
			if (error instanceof P2pError && ['not-found', 'no-source', 'ambiguous'].includes(error.code)) return undefined;
			throw error;
		});
		if (found) return found;
	}
	const target = await findTarget(router, wanted, signal).catch(error => {
		if (error instanceof P2pError && error.code === 'ambiguous' && !json) tellCandidates(error);
		throw error;
	});
	const {content, name, size} = target;
	// Where the table says that peers are may be behind a NAT: asking for the sources finds a way to each.
	const known = dht ? await router.sources(content, signal).catch(() => target) : target;
	const sources = chooseSources(known.sources, from);
	return {content, name, size, sources, ...(from.length > 0 && {from: sources.map(source => source.peer)})};
}

function sizeOf(target: DownloadRequest | FolderRequest): number {
	return 'files' in target ? target.files.reduce((sum, {size}) => sum + size, 0) : target.size;
}

/** The promise's value. @throws the signal's reason as soon as it is aborted */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	const aborted = Promise.withResolvers<never>();
	const abort = () => aborted.reject(signal.reason);
	if (signal.aborted) abort();
	signal.addEventListener('abort', abort, {once: true});
	try {
		return await Promise.race([promise, aborted.promise]);
	} finally {
		signal.removeEventListener('abort', abort);
	}
}

function tellCandidates({details}: P2pError): void {
	const candidates = details?.candidates as Array<{content: string; name: string; size: number; sources: number}>;
	for (const {content, name, size, sources} of candidates) {
		process.stderr.write(
			`  ${content}  ${formatBytes(size).padStart(9)}  ${sources} ${sources === 1 ? 'peer' : 'peers'}  ${displayText(name)}\n`,
		);
	}
}
