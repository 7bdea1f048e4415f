import {limits} from '../api/limits.ts';
import type {ContentSources, Source} from '../api/schemas.ts';
import {formatLink} from '../content/link.ts';
import {formatAddress} from '../core/address.ts';
import {displayText} from '../core/display.ts';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {formatBytes, shortDuration, shortId} from '../core/format.ts';
import {type Command, printJson, printLine} from './context.ts';
import {withNetwork} from './network.ts';

const hitsPrinted = 100;

/** `p2p-tui search <query…>`: each content that matches, and who holds it. */
export const command: Command = async context => {
	const query = context.input.join(' ');
	if (query.trim() === '')
		throw new P2pError('usage', 'What should be searched for?', {hint: 'Example: p2p-tui search holiday ext:jpg'});
	return withNetwork(context, async ({router, servers}) => {
		const {hits, total, more} = await router.search(query, {
			limit: hitsPrinted,
			sources: limits.sourcesPerHit,
			signal: context.signal,
		});
		for (const hit of hits) {
			if (context.json) printJson({...hit, link: linkTo(hit, servers)});
			else printHit(hit);
		}
		if (hits.length === 0) throw new P2pError('not-found', `Nothing found for "${query}"`);
		if (!context.json && total > hits.length)
			printLine(`… ${more ? 'more than ' : ''}${total.toLocaleString('en')} in all; narrow the search to see others`);
		return exitCodes.done;
	});
};

function linkTo({content, name, size}: ContentSources, servers: string[]): string {
	return formatLink({content, name, size, servers});
}

function printHit({content, name, size, sources, sourceCount}: ContentSources): void {
	printLine(`${displayText(name)}  ${formatBytes(size)}  ${shortId(content)}…`);
	for (const source of sources) printLine(`  ${sourceLine(source)}`);
	if (sourceCount > sources.length) printLine(`  … and ${sourceCount - sources.length} more peers`);
}

function sourceLine(source: Source): string {
	const age = shortDuration((Date.now() - new Date(source.sharedAt).getTime()) / 1000);
	return displayText(
		`${source.number}  ${source.name} ${shortId(source.peer)}  ${formatAddress(source)}  ${source.path}  shared ${age} ago`,
	);
}
