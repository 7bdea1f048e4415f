// What the command palette offers: every command with a title that the screen has keys for.
import {panesOf} from '../../store/layout.ts';
import type {PaneId, UiState} from '../../store/state.ts';
import {paneTitles} from '../../store/tabs.ts';
import type {CommandId} from './commands.ts';
import {bindings, type Context} from './table.ts';
import {commandTitles} from './titles.ts';

/** A command in the palette, with the pane that it works in. */
export type PaletteEntry = {command: CommandId; title: string; where: string; key: string; pane?: PaneId};

const paneNames: Partial<Record<Context, PaneId>> = {
	search: 'search',
	transfers: 'transfers',
	peers: 'peers',
	shares: 'shares',
	log: 'log',
	requests: 'requests',
	members: 'members',
};

/** Whether the letters of `query` come in this order in `text`; the better the closer together. 0: no match. */
function score(text: string, query: string): number {
	if (query === '') return 1;
	const found = text.indexOf(query);
	if (found === 0) return 4;
	if (found > 0) return text[found - 1] === ' ' ? 3 : 2;
	let at = -1;
	for (const letter of query) {
		at = text.indexOf(letter, at + 1);
		if (at === -1) return 0;
	}
	return 1;
}

/** The entries that fit what is typed, best first. */
export function paletteEntries(state: UiState, query: string): PaletteEntry[] {
	const panes = panesOf(state);
	const entries: PaletteEntry[] = [];
	for (const binding of bindings) {
		const title = commandTitles[binding.command];
		const pane = paneNames[binding.where];
		if (title === undefined || (binding.where !== 'global' && binding.where !== 'base' && !pane)) continue;
		if (pane && !panes.includes(pane)) continue;
		if (entries.some(entry => entry.command === binding.command)) continue;
		entries.push({
			command: binding.command,
			title,
			where: pane ? paneTitles[pane].toLowerCase() : 'global',
			key: binding.sign ?? binding.keys[0] ?? '',
			...(pane && {pane}),
		});
	}
	for (const [index, pane] of panes.entries()) {
		const title = `show ${paneTitles[pane].toLowerCase()}`;
		entries.push({command: `pane.${index + 1}` as CommandId, title, where: 'global', key: String(index + 1)});
	}
	const wanted = query.trim().toLowerCase();
	return entries
		.map(entry => ({entry, score: score(`${entry.title} ${entry.where}`, wanted)}))
		.filter(({score}) => score > 0)
		.sort((a, b) => b.score - a.score)
		.map(({entry}) => entry);
}
