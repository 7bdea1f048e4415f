import {shortId} from '../../core/format.ts';
import type {ServerLink, ServerSnapshot} from '../../engine/messages.ts';
import {roundTrip, speed, uptime} from '../draw/format.ts';
import type {Glyphs} from '../draw/glyphs.ts';
import {brailleLine} from '../draw/graph.ts';
import {paintLine, type Span, spanCells, spread} from '../draw/line.ts';
import {cut, fitCells} from '../draw/width.ts';
import {Rows} from './row.tsx';
import {usePicked, useUi} from './ui-context.ts';

const linkWords: Record<ServerLink['state'], string> = {
	connecting: 'connecting to ',
	online: '',
	lost: 'lost ',
	refused: 'refused by ',
};

/** How it stands with the index server. */
function linkSpans(link: ServerLink | undefined, more: number, columns: number, glyphs: Glyphs): Span[] {
	if (!link) return [[`${glyphs.off} no server`, 'muted']];
	const isOnline = link.state === 'online';
	const tone = isOnline ? 'plain' : link.state === 'connecting' ? 'warn' : 'error';
	return [
		[`${isOnline ? glyphs.on : link.state === 'connecting' ? glyphs.off : glyphs.cross} `, isOnline ? 'ok' : tone],
		[columns >= 50 ? `${linkWords[link.state]}${link.address}` : (linkWords[link.state].split(' ')[0] ?? ''), tone],
		[more > 0 ? ` +${more}` : '', 'muted'],
		[columns >= 100 && link.number !== undefined ? `  you are #${link.number}` : '', 'muted'],
		[
			columns >= 100 && isOnline && link.rtt !== undefined ? `  ${roundTrip(link.rtt).replace('ms', ' ms')}` : '',
			'muted',
		],
	];
}

/** Whether it is the network without a server. */
function isTable({address}: ServerLink): boolean {
	return address.startsWith('DHT');
}

/** First row of a peer's screen: who, which server, how fast. */
export function PeerHeader({columns}: {columns: number}) {
	const {theme} = useUi();
	const {glyphs} = theme;
	const [id, name, servers, down, up] = usePicked(state => [
		state.peer?.id ?? '',
		state.peer?.name ?? '',
		state.peer?.servers,
		state.peer?.down,
		state.peer?.up,
	]);
	const table = servers?.find(isTable);
	const indexes = servers?.filter(server => !isTable(server));
	const link = indexes?.find(server => server.state === 'online') ?? indexes?.[0] ?? table;
	// Of a server and the table it must show which is alive.
	const beside = table && table !== link ? linkSpans({...table, number: undefined}, 0, columns, glyphs) : [];
	const graph = columns >= 100 ? 12 : columns >= 72 ? 6 : 0;
	const rates: Span[] =
		graph > 0
			? [
					[`${glyphs.down} `, 'down'],
					[`${fitCells(speed(down?.now ?? 0), 7, {align: 'right'})} `, 'down'],
					[brailleLine(down?.history ?? [], graph, glyphs), 'down'],
					[`  ${glyphs.up} `, 'up'],
					[`${fitCells(speed(up?.now ?? 0), 7, {align: 'right'})} `, 'up'],
					[brailleLine(up?.history ?? [], graph, glyphs), 'up'],
					[' '],
				]
			: [
					[`${glyphs.down}${speed(down?.now ?? 0)} `, 'down'],
					[`${glyphs.up}${speed(up?.now ?? 0)} `, 'up'],
				];
	const nameRoom = columns >= 100 ? 20 : columns >= 50 ? 12 : 8;
	const left: Span[] = [
		[' p2p ', 'bold'],
		['peer ', 'key'],
		[`${cut(theme.text(name), nameRoom, glyphs.ellipsis)}  `],
		[columns >= 100 ? `${shortId(id)}  ` : '', 'muted'],
		...linkSpans(link, Math.max(0, (indexes?.length ?? 0) - 1), columns, glyphs),
		...(beside.length > 0 ? [['  '] as Span, ...beside] : []),
	];
	const room = columns - spanCells(rates);
	return <Rows y={0} rows={[paintLine(theme, columns, room > 10 ? spread(theme, left, rates, columns) : left)]} />;
}

/** Whether all is well; of a cluster, whether this server has all of its index. */
function stateSpans(cluster: ServerSnapshot['cluster'], glyphs: Glyphs): Span[] {
	if (!cluster || cluster.state === 'whole') return [[`${glyphs.on} `, 'ok']];
	return [[`${glyphs.off} ${cluster.state === 'stale' ? 'cluster lost' : 'catching up'}  `, 'warn']];
}

/** First row of a server's dashboard. */
export function ServerHeader({columns}: {columns: number}) {
	const {theme} = useUi();
	const {glyphs} = theme;
	const [id, name, host, port, startedAt, isPrivate, cluster] = usePicked(state => [
		state.server?.id ?? '',
		state.server?.name ?? '',
		state.server?.host ?? '',
		state.server?.port ?? 0,
		state.server?.startedAt ?? 0,
		state.server?.private ?? false,
		state.server?.cluster,
		// Drawn again with each snapshot, for the uptime.
		state.server,
	]);
	const up = startedAt > 0 ? uptime((Date.now() - startedAt) / 1000) : '';
	const right: Span[] = columns >= 60 ? [['up ', 'muted'], [`${up} `]] : [[`${up} `]];
	const left: Span[] = [
		[' p2p ', 'bold'],
		['server ', 'key'],
		[columns >= 90 ? `${cut(theme.text(name), 20, glyphs.ellipsis)}  ` : ''],
		...stateSpans(cluster, glyphs),
		[`${columns >= 60 ? 'listening ' : ''}${host.includes(':') ? `[${host}]` : host}:${port}`],
		[isPrivate ? '  private' : '', 'ok'],
		[columns >= 80 && cluster?.state === 'whole' ? `  1 of ${cluster.servers} servers` : '', 'muted'],
		[columns >= 80 ? '  tls 1.3' : '', 'muted'],
		[columns >= 80 ? `  key ${shortId(id)}` : '', 'muted'],
	];
	return <Rows y={0} rows={[paintLine(theme, columns, spread(theme, left, right, columns))]} />;
}
