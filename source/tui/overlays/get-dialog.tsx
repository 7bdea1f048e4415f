import {shortBytes} from '../../core/format.ts';
import {shortFolder} from '../../store/folder.ts';
import {ableSources} from '../../store/selectors.ts';
import type {Overlay, UiState} from '../../store/state.ts';
import {Dialog, dialogInner} from '../components/dialog.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {day, grouped, roundTrip} from '../draw/format.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {fitCells} from '../draw/width.ts';
import {runCommand} from '../keys/commands.ts';
import {footerHints} from '../keys/hints.ts';
import type {Theme} from '../theme.ts';

type GetOverlay = Extract<Overlay, {kind: 'get'}>;

/** Columns of a source, as many as there is room for. */
function columnsFor(inner: number) {
	const id = inner >= 50 ? 9 : 0;
	const shared = inner >= 74 ? 18 : inner >= 64 ? 12 : 0;
	const rtt = inner >= 30 ? 8 : 0;
	const address = inner >= 62 ? 22 : 0;
	return {id, shared, rtt, address, name: Math.max(6, inner - 6 - id - shared - rtt - address - 2)};
}

function sourceLine(theme: Theme, inner: number, overlay: GetOverlay, index: number, self: string | undefined): string {
	const source = overlay.hit.sources[index];
	if (!source) return ' '.repeat(inner);
	const {glyphs} = theme;
	const {ellipsis} = glyphs;
	const width = columnsFor(inner);
	const isChosen = overlay.chosen.includes(source.peer);
	const isSelf = source.peer === self;
	const isAble = source.online && !isSelf;
	const tone = isAble ? 'plain' : 'muted';
	const rtt = isSelf
		? 'you'
		: source.online
			? overlay.busy && overlay.rtt[source.peer] === undefined
				? ellipsis
				: roundTrip(overlay.rtt[source.peer])
			: 'offline';
	return paintLine(
		theme,
		inner,
		[
			['  '],
			[`${isChosen ? glyphs.marked : glyphs.unmarked} `, isChosen ? 'ok' : 'muted'],
			[fitCells(theme.text(source.name), width.name, {ellipsis}), tone],
			[width.id ? ` ${source.peer.slice(0, 8)}` : '', 'muted'],
			[width.address ? ` ${fitCells(`${source.host}:${source.port}`, width.address - 1, {ellipsis})}` : '', tone],
			[width.shared ? `  ${fitCells(day(source.sharedAt).slice(0, width.shared - 2), width.shared - 2)}` : '', 'muted'],
			[fitCells(rtt, width.rtt, {align: 'right'}), tone],
		],
		index === overlay.cursor,
	);
}

function summary(state: UiState, overlay: GetOverlay): Span[] {
	const count = overlay.chosen.length;
	if (overlay.error) return [['  '], [overlay.error, 'warn']];
	if (count === 0) return [['  no peer is marked', 'warn']];
	const free = state.peer?.downloads.freeBytes ?? 0;
	if (free > 0 && free < overlay.hit.size) return [['  '], [`only ${shortBytes(free)} are free there`, 'error']];
	const able = ableSources(overlay.hit, state.peer?.id).length;
	return [
		['  '],
		[String(count), 'count'],
		[` of ${able} ${able === 1 ? 'peer' : 'peers'}`],
		[
			overlay.hit.sourceCount > overlay.hit.sources.length ? `, ${grouped(overlay.hit.sourceCount)} in all` : '',
			'muted',
		],
	];
}

/** Every source of a file with address, since when and round trip; which of them to use. */
export function GetDialog({overlay}: {overlay: GetOverlay}) {
	const {theme, context} = useUi();
	const [size, self, downloads] = usePicked(state => [state.size, state.peer?.id, state.peer?.downloads]);
	const state = context.store.get();
	const wish = size.columns >= 110 ? 92 : 70;
	const inner = dialogInner(size, wish);
	const {glyphs} = theme;
	const {hit} = overlay;
	const {ellipsis} = glyphs;
	const roomy = size.rows >= 20;
	const fixed = roomy ? 10 : 5;
	const visible = Math.max(1, Math.min(hit.sources.length, size.rows - fixed - 4));
	const top = Math.max(0, Math.min(hit.sources.length - visible, overlay.cursor - Math.floor(visible / 2)));
	const width = columnsFor(inner);
	const heading: Span[] = [
		[
			`    ${glyphs.ascii ? '  ' : ''}${fitCells('PEER', width.name)}${width.id ? ' ID      ' : ''}${width.address ? ` ${fitCells('ADDRESS', width.address - 1)}` : ''}${width.shared ? `  ${fitCells('SHARED AT', width.shared - 2)}` : ''}${fitCells('RTT', width.rtt, {align: 'right'})}`,
			'muted',
		],
	];
	const sources = Array.from({length: visible}, (_, index) => sourceLine(theme, inner, overlay, top + index, self));
	const name: Span[] = [['  '], [fitCells(theme.text(hit.name), inner - 4, {ellipsis, position: 'middle'}), 'bold']];
	const folder = downloads ? shortFolder(downloads.folder) : '';
	const blank: Span[] = [['']];
	// Before the sources stand the name, what the file is, and their heading.
	const first = roomy ? 4 : 2;
	const rows = roomy
		? [
				name,
				[
					['  '],
					[shortBytes(hit.size)],
					['   content ID ', 'muted'],
					[fitCells(hit.content, Math.min(64, inner - 22), {ellipsis})],
				] as Span[],
				blank,
				heading,
				...sources,
				blank,
				[
					['  Save to  ', 'muted'],
					[fitCells(theme.text(folder), Math.min(folder.length, inner - 30), {ellipsis, position: 'middle'}), 'count'],
					[downloads ? `   free ${shortBytes(downloads.freeBytes)}` : '', 'muted'],
				] as Span[],
				summary(state, overlay),
				blank,
			]
		: [name, heading, ...sources, summary(state, overlay)];
	return (
		<Dialog
			title="Get file"
			width={wish}
			padded
			rows={rows}
			scroll={{from: first, rows: visible, top, total: hit.sources.length}}
			hints={footerHints(state, glyphs).hints}
			onRow={row => {
				const index = row - first + top;
				if (row < first || row >= first + visible) return;
				context.store.dispatch({type: 'get/move', by: index - overlay.cursor});
				runCommand('get.toggle', context);
			}}
		/>
	);
}
