import type {ContentSources} from '../../api/schemas.ts';
import {shortBytes} from '../../core/format.ts';
import type {Rect} from '../../store/layout.ts';
import {listRows} from '../../store/layout.ts';
import {isLink} from '../../store/peer/search-controller.ts';
import {currentHit, marksOf, sortedHits} from '../../store/selectors.ts';
import type {SearchState, UiState} from '../../store/state.ts';
import {PaneFrame, type PaneRow} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {useHitArea} from '../components/use-hit-area.ts';
import {grouped} from '../draw/format.ts';
import {paintLine, type Span, spread} from '../draw/line.ts';
import {cells, fitCells} from '../draw/width.ts';
import {runCommand} from '../keys/commands.ts';
import type {Theme} from '../theme.ts';

const sortNames = {best: 'best', name: 'name', size: 'size', peers: 'peers'} as const;

/** Columns of a result: only the name where there is little room. */
function columnsFor(inner: number) {
	const hash = inner >= 64 ? 9 : 0;
	const peers = inner >= 40 ? 6 : inner >= 30 ? 4 : 0;
	const size = inner >= 24 ? 6 : 0;
	return {hash, peers, size, name: inner - 2 - size - peers - (hash ? hash + 1 : 0) - 1};
}

function hitLine(theme: Theme, inner: number, hit: ContentSources, isCurrent: boolean, focused: boolean): string {
	const width = columnsFor(inner);
	const {ellipsis} = theme.glyphs;
	const gone = hit.sourceCount === 0;
	return paintLine(
		theme,
		inner,
		[
			[isCurrent ? `${theme.glyphs.pointer} ` : '  ', 'accent'],
			[fitCells(theme.text(hit.name), width.name, {ellipsis, position: 'middle'}), gone ? 'muted' : 'plain'],
			[width.size ? fitCells(shortBytes(hit.size), width.size, {align: 'right'}) : ''],
			[width.peers ? fitCells(String(hit.sourceCount), width.peers, {align: 'right'}) : '', gone ? 'warn' : 'plain'],
			[width.hash ? `  ${hit.content.slice(0, width.hash - 2)}${ellipsis}` : '', 'muted'],
		],
		isCurrent && focused,
	);
}

/** What the strip of peers shows, and which of them stands in a cell. */
type Strip = {line: string; at(x: number): number | undefined};

/** The strip of the peers that hold the file; it scrolls so that the chosen one is visible. */
function peerStrip(theme: Theme, inner: number, state: UiState, hit: ContentSources, focused: boolean): Strip {
	const {glyphs} = theme;
	const marked = marksOf(state, hit.content);
	const items = hit.sources.map((source, index) => {
		const isSelf = source.peer === state.peer?.id;
		const sign = marked.includes(source.peer) ? glyphs.marked : glyphs.unmarked;
		const name = isSelf ? 'you' : theme.text(source.name);
		const text = `${sign} ${source.peer.slice(0, 8)} ${fitCells(name, Math.min(12, cells(name)), {ellipsis: glyphs.ellipsis})}`;
		const tone = source.online && !isSelf ? (marked.includes(source.peer) ? 'ok' : 'plain') : 'muted';
		return {text: ` ${text} `, isChosen: index === state.search.peerIndex, tone} as const;
	});
	let first = 0;
	const widthTo = (from: number) =>
		items.slice(from, state.search.peerIndex + 1).reduce((sum, item) => sum + cells(item.text), 0);
	while (first < state.search.peerIndex && widthTo(first) > inner - 3) first++;
	const places: {from: number; to: number; index: number}[] = [];
	let line = '';
	let left = inner;
	if (first > 0) {
		line += theme.paint(glyphs.ellipsis.slice(0, 1), 'muted');
		left--;
	}
	for (const [at, item] of items.slice(first).entries()) {
		const size = cells(item.text);
		const index = first + at;
		places.push({from: inner - left, to: Math.min(inner, inner - left + size), index});
		// One cell stays for the sign that there are more.
		if (size > left - (index < items.length - 1 ? 1 : 0)) {
			line += theme.paint(fitCells(item.text, left, {ellipsis: glyphs.ellipsis}), 'muted');
			left = 0;
			break;
		}
		line += theme.paint(item.text, item.isChosen && focused ? 'selected' : item.tone);
		left -= size;
	}
	return {
		line: line + ' '.repeat(Math.max(0, left)),
		at: x => places.find(({from, to}) => x >= from && x < to)?.index,
	};
}

function isOffline({peer}: UiState): boolean {
	return peer !== undefined && !peer.servers.some(server => server.state === 'online');
}

/** What stands where there are no results. */
function emptyLines(state: UiState, inner: number): Span[][] {
	const {search} = state;
	if (search.error) return [[[search.error, 'error']], [[`Enter tries again`, 'muted']]];
	if (search.busy && search.answered !== search.query.trim()) return [[['searching', 'muted']]];
	if (search.query.trim() === '') {
		return [
			[
				['/', 'key'],
				[` searches what everybody shares${inner >= 50 ? ', as you type' : ''}`, 'muted'],
			],
			...(isOffline(state) ? [[['No index server is connected yet', 'warn'] as const]] : []),
			[
				['try  ', 'muted'],
				['ext:flac', 'accent'],
				['   ', 'muted'],
				['size:>100MB', 'accent'],
				...(inner >= 50
					? ([
							['   ', 'muted'],
							['"a phrase"', 'accent'],
							['   ', 'muted'],
							['-without', 'accent'],
						] as Span[])
					: []),
			],
		];
	}
	if (isLink(search.query))
		return [
			[
				['A link: ', 'plain'],
				['enter', 'accent'],
				[' downloads what it names', 'plain'],
			],
		];
	return [
		[[`Nothing matches ${search.answered}`, 'plain']],
		[
			['Fewer letters find more; ', 'muted'],
			['esc', 'key'],
			[' clears', 'muted'],
		],
	];
}

function titleRight(search: SearchState, glyphs: Theme['glyphs']): Span[] {
	if (search.busy && (search.hits.length === 0 || search.answered === ''))
		return [[`searching${glyphs.ellipsis}`, 'muted']];
	if (search.answered === '' || search.error) return [];
	return [
		[`${grouped(Math.max(search.total, search.hits.length))}${search.more ? '+' : ''}`, 'count'],
		[` ${search.total === 1 ? 'hit' : 'hits'} ${Math.max(1, Math.round(search.ms))} ms`, 'muted'],
	];
}

/** Pane 1: the query, the files that match, and the peers that hold the chosen one. */
export function SearchPane({rect}: {rect: Rect}) {
	const {theme, context} = useUi();
	const [search, list, focus, self] = usePicked(state => [
		state.search,
		state.lists.search,
		state.focus,
		state.peer?.id,
		isOffline(state),
		state.screen,
	]);
	void self;
	const state = context.store.get();
	const focused = focus.pane === 'search' && !focus.overlay;
	const editing = focus.textMode === 'search';
	const {glyphs} = theme;
	const inner = rect.width - 2;
	const hits = sortedHits(state);
	const visible = listRows(state, 'search');
	const hit = currentHit(state);
	const sortSpans: Span[] =
		hits.length > 1
			? [['sort ', 'muted'], [`${sortNames[search.sort]}${search.reverse ? ' rev' : ''}${glyphs.sort}`], [' ']]
			: [];

	const rows: PaneRow[] = [];
	let strip: Strip | undefined;
	if (editing) {
		const beside = Math.min(18, Math.max(0, inner - 24));
		rows.push({
			before: theme.paint(' / ', 'key'),
			field: search.query,
			width: inner - 3 - beside,
			after: paintLine(theme, beside, spread(theme, [], sortSpans, beside)),
		});
	} else {
		const query = theme.text(search.query);
		rows.push(
			paintLine(theme, inner, spread(theme, [[' / ', search.query ? 'muted' : 'key'], [query]], sortSpans, inner)),
		);
	}
	if (rect.height >= 7) {
		const width = columnsFor(inner);
		rows.push(
			hits.length === 0
				? ' '.repeat(inner)
				: paintLine(theme, inner, [
						[`  ${fitCells('NAME', width.name)}`, 'muted'],
						[width.size ? fitCells('SIZE', width.size, {align: 'right'}) : '', 'muted'],
						[width.peers ? fitCells(width.peers > 5 ? 'PEERS' : 'BY', width.peers, {align: 'right'}) : '', 'muted'],
						[width.hash ? '  ID' : '', 'muted'],
					]),
		);
	}
	const from = rows.length;
	if (hits.length === 0)
		for (const line of emptyLines(state, inner)) rows.push(paintLine(theme, inner, [['  '], ...line]));
	for (let index = list.top; index < Math.min(hits.length, list.top + visible); index++) {
		const row = hits[index];
		if (row) rows.push(hitLine(theme, inner, row, index === list.index, focused));
	}
	if (rect.height >= 9) {
		while (rows.length < from + visible) rows.push(' '.repeat(inner));
		if (hit) {
			const count = marksOf(state, hit.content).length;
			rows.push({
				rule: [
					['held by '],
					[String(hit.sourceCount), 'count'],
					[` ${hit.sourceCount === 1 ? 'peer' : 'peers'}`],
					[count > 0 ? `, ${count} marked` : '', 'ok'],
					[focused && inner >= 50 ? ` ${glyphs.leftRight} pick  space mark  ${glyphs.enter} get` : '', 'muted'],
					[focused && inner < 50 && inner >= 34 ? ` ${glyphs.leftRight} pick` : '', 'muted'],
				],
			});
			strip = peerStrip(theme, inner, state, hit, focused);
			rows.push(strip.line);
		}
	}
	useHitArea(strip && {x: rect.x + 1, y: rect.y + rows.length, width: inner, height: 1}, x => {
		const index = strip?.at(x);
		if (index === undefined) return;
		const isChosen = focused && index === search.peerIndex;
		if (!focused || editing) context.store.dispatch({type: 'pane', pane: 'search'});
		context.store.dispatch({type: 'search/peer', by: index - search.peerIndex});
		// As with rows: a click chooses, one on what is chosen does what belongs to it.
		if (isChosen) runCommand('search.mark', context);
	});
	const place: Span[] =
		hits.length > 0
			? [
					[
						`${grouped(list.index + 1)}/${grouped(Math.max(search.total, hits.length))}${search.more ? '+' : ''}`,
						'muted',
					],
				]
			: [];
	return (
		<PaneFrame
			rect={rect}
			number={1}
			title={[['Search', 'bold']]}
			right={titleRight(search, glyphs)}
			bottom={place}
			focused={focused}
			rows={rows}
			scroll={{from, rows: visible, top: list.top, total: hits.length}}
		/>
	);
}
