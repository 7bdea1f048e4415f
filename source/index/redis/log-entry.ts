// What stands in the logs, as it is read: fields and values of a stream's entry.
import * as z from 'zod';
import type {Registration} from '../store.ts';

type NumberedPeer = Registration & {number: number};

/** An entry. `before`: the ID of the one before it, from which reading can begin again with this one. */
export type LogEntry = {
	id: string;
	before: string;
} & (
	| {kind: 'peer'; peer: NumberedPeer}
	| {kind: 'begin'; peer: NumberedPeer; upload: string; epoch: string; from: number; to: number; replace: boolean}
	| {kind: 'batch'; upload: string; packed: Buffer}
	| {kind: 'end' | 'abort'; peer: string; upload: string}
	| {kind: 'leave'; peer: string}
);

const infoSchema = z.object({
	name: z.string(),
	host: z.string(),
	port: z.int(),
	addresses: z.array(z.string()).default([]),
});

/** What a registration says besides ID and number, in the form in which two that are equal have equal text. */
export function writeInfo({name, host, port, addresses = []}: Registration): string {
	return JSON.stringify({name, host, port, addresses});
}

/** An entry as Redis sends it; undefined for a kind that a newer version writes. @throws when it is damaged */
export function readEntry(id: string, fields: Buffer[], before: string): LogEntry | undefined {
	const values = new Map<string, Buffer>();
	for (let at = 0; at + 1 < fields.length; at += 2) values.set(String(fields[at]), fields[at + 1] as Buffer);
	const text = (name: string) => String(values.get(name) ?? '');
	const place = {id, before};
	const peer = () => ({
		...infoSchema.parse(JSON.parse(text('d'))),
		id: text('i'),
		number: Number(text('n')),
	});
	const kind = text('k');
	switch (kind) {
		case 'peer':
			return {...place, kind, peer: peer()};
		case 'begin': {
			const range = {epoch: text('e'), from: Number(text('f')), to: Number(text('t'))};
			return {...place, kind, peer: peer(), upload: text('u'), ...range, replace: text('m') === 'replace'};
		}
		case 'batch':
			return {...place, kind, upload: text('u'), packed: values.get('d') ?? Buffer.alloc(0)};
		case 'end':
		case 'abort':
			return {...place, kind, peer: text('i'), upload: text('u')};
		case 'leave':
			return {...place, kind, peer: text('i')};
		default:
			return undefined;
	}
}

/** Whether one entry's ID is before another's. */
export function isBefore(a: string, b: string): boolean {
	return orderOf(a) < orderOf(b);
}

/** Whether there may have been entries after `read` and before `kept`, which are not there any more. */
export function isGap(read: string, kept: string): boolean {
	return orderOf(read) + 1n < orderOf(kept);
}

/** The ID before one: reading after it begins with that one. */
export function justBefore(id: string): string {
	const order = orderOf(id) - 1n;
	return `${order >> 64n}-${order & ((1n << 64n) - 1n)}`;
}

/** The time in an entry's ID, Unix milliseconds. */
export function timeOf(id: string): number {
	return Number(id.split('-')[0]);
}

/** Before every entry. */
export const logStart = '0-0';

function orderOf(id: string): bigint {
	const [time = '0', part = '0'] = id.split('-');
	return (BigInt(time) << 64n) | BigInt(part);
}
