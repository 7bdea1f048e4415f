import {shortDuration, shortId} from '../../core/format.ts';
import type {PeerRow} from '../../engine/messages.ts';
import {listRows, paneOverhead, type Rect} from '../../store/layout.ts';
import {PaneFrame} from '../components/pane-frame.tsx';
import {usePicked, useUi} from '../components/ui-context.ts';
import {countIn, grouped, roundTrip} from '../draw/format.ts';
import {paintLine, type Span} from '../draw/line.ts';
import {cut, fitCells} from '../draw/width.ts';
import type {Theme} from '../theme.ts';
import {BrowsePane} from './browse-pane.tsx';

/**
 * Columns of a peer, as many as there is room for. `last` is the round trip at a peer, the age at a server. `long`: there
 * are numbers of five digits, as peers have them where no server gives any.
 */
function columnsFor(inner: number, long: boolean) {
	const files = inner >= 50 ? 10 : inner >= 30 ? 7 : 0;
	const last = inner >= 22 ? 8 : 0;
	const id = inner >= 42 ? 9 : 0;
	const number = inner >= 34 ? (long ? 6 : 4) : 0;
	return {address: inner >= 62 ? Math.min(24, inner - 44) : 0, files, last, id, number};
}

function peerLine(
	theme: Theme,
	inner: number,
	row: PeerRow,
	last: string,
	isCurrent: boolean,
	focused: boolean,
	long: boolean,
): string {
	const {glyphs} = theme;
	const width = columnsFor(inner, long);
	const name = Math.max(4, inner - 3 - width.number - width.id - width.address - width.files - width.last - 1);
	const tone = row.online ? 'plain' : 'muted';
	// Where a column says it, the name is not cut short for it.
	const you = row.self && last === '' ? ' (you)' : '';
	const shown = cut(theme.text(row.name), name - you.length, glyphs.ellipsis) + you;
	return paintLine(
		theme,
		inner,
		[
			[isCurrent ? glyphs.pointer : ' ', 'accent'],
			[`${row.online ? glyphs.on : glyphs.off} `, row.online ? 'ok' : 'muted'],
			[width.number ? `${fitCells(String(row.number), width.number - 1, {align: 'right'})} ` : '', 'muted'],
			[fitCells(shown, name, {ellipsis: glyphs.ellipsis}), tone],
			[width.id ? ` ${shortId(row.id)}` : '', 'muted'],
			[
				width.address
					? ` ${fitCells(cut(`${row.host}:${row.port}`, width.address - 1, glyphs.ellipsis), width.address - 1)}`
					: '',
				tone,
			],
			[width.files ? fitCells(countIn(row.files, width.files - 1), width.files, {align: 'right'}) : '', tone],
			[width.last ? fitCells(last, width.last, {align: 'right'}) : '', tone],
			[' '],
		],
		isCurrent && focused,
	);
}

function heading(theme: Theme, inner: number, lastTitle: string, long: boolean): string {
	const width = columnsFor(inner, long);
	const name = Math.max(4, inner - 3 - width.number - width.id - width.address - width.files - width.last - 1);
	return paintLine(theme, inner, [
		[
			`   ${width.number ? `${fitCells('#', width.number - 1, {align: 'right'})} ` : ''}${fitCells('NAME', name)}${
				width.id ? ' ID      ' : ''
			}${width.address ? ` ${fitCells('ADDRESS', width.address - 1)}` : ''}${
				width.files ? fitCells('FILES', width.files, {align: 'right'}) : ''
			}${width.last ? fitCells(lastTitle, width.last, {align: 'right'}) : ''}`,
			'muted',
		],
	]);
}

type PeerListProps = {
	rect: Rect;
	number: number;
	pane: 'peers' | 'members';
	peers: {offset: number; total: number; rows: readonly PeerRow[]; online: number} | undefined;
	empty: readonly Span[][];
};

/** The list of registered peers, at a peer or at a server. */
function PeerList({rect, number, pane, peers, empty}: PeerListProps) {
	const {theme, context} = useUi();
	const [list, isFocused] = usePicked(state => [
		state.lists[pane],
		state.focus.pane === pane && !state.focus.overlay,
		state.zoom,
		state.size,
	]);
	const inner = rect.width - 2;
	const visible = listRows(context.store.get(), pane);
	const total = peers?.total ?? 0;
	const rows: string[] = [];
	const long = peers?.rows.some(row => row.number > 999) ?? false;
	if (paneOverhead(pane, rect.height) > 2) rows.push(heading(theme, inner, pane === 'peers' ? 'RTT' : 'SEEN', long));
	const from = rows.length;
	for (let index = list.top; index < Math.min(total, list.top + visible); index++) {
		const row = peers?.rows[index - peers.offset];
		if (!row) rows.push(' '.repeat(inner));
		else {
			const age = Math.max(0, (Date.now() - Date.parse(row.since)) / 1000);
			const last =
				pane === 'peers'
					? row.self
						? columnsFor(inner, long).last > 0
							? 'you'
							: ''
						: row.online
							? roundTrip(row.rtt)
							: 'offline'
					: shortDuration(age);
			rows.push(peerLine(theme, inner, row, last, isFocused && index === list.index, isFocused, long));
		}
	}
	if (total === 0) for (const line of empty) rows.push(paintLine(theme, inner, [['  '], ...line]));
	return (
		<PaneFrame
			rect={rect}
			number={number}
			title={[['Peers', 'bold']]}
			right={
				peers
					? [
							[grouped(peers.online), 'count'],
							[' online', 'muted'],
						]
					: []
			}
			bottom={total > visible ? [[`${grouped(list.index + 1)}/${grouped(total)}`, 'muted']] : []}
			focused={isFocused}
			rows={rows}
			scroll={{from, rows: visible, top: list.top, total}}
		/>
	);
}

/** Pane 3: the registered peers, or the tree of one of them. */
export function PeersPane({rect}: {rect: Rect}) {
	const [peers, browse, servers] = usePicked(state => [state.peer?.peers, state.browse, state.peer?.servers]);
	if (browse) return <BrowsePane rect={rect} browse={browse} />;
	const connected = servers?.some(server => server.state === 'online');
	const empty: Span[][] = connected
		? [[['Nobody else is here yet', 'muted']]]
		: [
				[['Not connected to an index server', 'warn']],
				[
					['4', 'key'],
					[' the log says why', 'muted'],
				],
			];
	return <PeerList rect={rect} number={3} pane="peers" peers={peers} empty={empty} />;
}

/** Pane 2 of a server: who is registered. */
export function MembersPane({rect}: {rect: Rect}) {
	const [peers, host, port] = usePicked(state => [state.server?.peers, state.server?.host, state.server?.port]);
	const isEverywhere = host === '0.0.0.0' || host === '::';
	const empty: Span[][] = [
		[['No peer is registered yet', 'muted']],
		[[isEverywhere ? 'on any machine that reaches this HOST:' : 'on a machine that reaches this one:', 'muted']],
		[[`p2p-tui --mode peer --server ${isEverywhere ? 'HOST' : host}:${port}`, 'accent']],
	];
	return <PeerList rect={rect} number={2} pane="members" peers={peers} empty={empty} />;
}
