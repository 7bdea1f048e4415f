// The plain interface's commands for what comes and goes.
import {displayText} from '../../core/display.ts';
import {P2pError} from '../../core/errors.ts';
import {formatBytes, shortDuration, shortId} from '../../core/format.ts';
import type {TransferRow} from '../../engine/messages.ts';
import {chosen} from './chosen.ts';
import type {PlainCommand, PlainState} from './commands.ts';

function transferText(row: TransferRow): string {
	const percent = row.size === 0 ? 100 : Math.floor((row.done / row.size) * 100);
	const left = row.speed > 0 ? `, ${shortDuration((row.size - row.done) / row.speed)} left` : '';
	const speed = row.state === 'running' ? `, ${formatBytes(row.speed)}/s${left}` : '';
	const why = row.message ?? row.bottleneck?.text;
	const way = row.direction === 'down' ? 'download' : 'upload';
	return `${displayText(row.name)}, ${way}, ${row.state}, ${percent}% of ${formatBytes(row.size)}${speed}${why ? `, ${displayText(why)}` : ''}`;
}

function transfers(state: PlainState): void {
	const {rows, total} = state.engine.snapshot().transfers;
	state.transfers = rows.map(row => row.key);
	if (total === 0) state.print('Nothing is on its way');
	for (const [index, row] of rows.entries()) state.print(`${index + 1}. ${transferText(row)}`);
	if (total > rows.length) state.print(`and ${total - rows.length} more`);
}

/**
 * Numbers mean the list as it was printed, whatever moved since.
 *
 * @throws P2pError usage, not-found (also of one that was printed and has left since), ambiguous
 */
function transferCalled(state: PlainState, asked: string): TransferRow {
	const {rows} = state.engine.snapshot().transfers;
	const key = /^\d+$/.test(asked) ? state.transfers[Number(asked) - 1] : undefined;
	if (key === undefined) return chosen(rows, asked, ({name}) => name, 'transfer');
	const row = rows.find(candidate => candidate.key === key);
	if (!row) throw new P2pError('not-found', `Transfer ${asked} has left the list: transfers lists them anew`);
	return row;
}

/** A command that acts on one transfer, given by its number in the last list or by its name. */
function onTransfer(act: (state: PlainState, key: string) => Promise<void>, done: string): PlainCommand['run'] {
	return async (state, argument) => {
		const row = transferCalled(state, argument);
		await act(state, row.key);
		state.print(`${displayText(row.name)}: ${done}`);
	};
}

/** What the screens show under Enter: where the bytes come from, what holds it up, what happened. */
async function details(state: PlainState, argument: string): Promise<void> {
	const row = transferCalled(state, argument);
	state.print(transferText(row));
	if (row.direction === 'up') return;
	const {sources, log} = await state.engine.commands.transferDetails({key: row.key});
	for (const source of sources) {
		state.print(
			`from ${displayText(source.name)}, ${shortId(source.peer)}, ${formatBytes(source.bytes)}, ${formatBytes(source.speed)}/s`,
		);
	}
	if (row.bottleneck) state.print(`held up by: ${displayText(row.bottleneck.text)}`);
	for (const line of log.slice(-10)) state.print(displayText(line.text));
}

async function move(state: PlainState, argument: string): Promise<void> {
	const [, wanted, way] = /^(.*?)\s+(up|down)$/i.exec(argument) ?? [];
	if (wanted === undefined || way === undefined)
		throw new P2pError('usage', 'Move which download, and where? For example: move 3 up');
	const row = transferCalled(state, wanted);
	if (row.direction === 'up')
		throw new P2pError('usage', 'Uploads have no order here: the peers that fetch them queue up');
	await state.engine.commands.move({key: row.key, by: way.toLowerCase() === 'up' ? -1 : 1});
	state.print(`${displayText(row.name)}: moved ${way.toLowerCase()}`);
}

/** In the order of the help. */
export const transferCommands: readonly PlainCommand[] = [
	{name: 'transfers', usage: '', help: 'what comes and goes', run: transfers},
	{
		name: 'pause',
		usage: 'NUMBER',
		help: 'pause a download',
		run: onTransfer(({engine}, key) => engine.commands.pause({key}), 'paused'),
	},
	{
		name: 'resume',
		usage: 'NUMBER',
		help: 'let it go on',
		run: onTransfer(({engine}, key) => engine.commands.resume({key}), 'goes on'),
	},
	{
		name: 'retry',
		usage: 'NUMBER',
		help: 'try a failed download again',
		run: onTransfer(({engine}, key) => engine.commands.retry({key}), 'tried again'),
	},
	{
		name: 'cancel',
		usage: 'NUMBER',
		help: 'end a download and delete its partial file',
		run: onTransfer(({engine}, key) => engine.commands.cancel({key}), 'cancelled'),
	},
	{name: 'details', usage: 'NUMBER', help: 'where its bytes come from, and what holds it up', run: details},
	{name: 'move', usage: 'NUMBER up|down', help: 'sooner or later in the queue', run: move},
];
