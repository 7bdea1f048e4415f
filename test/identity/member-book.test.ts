import {writeFileSync} from 'node:fs';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {describe, expect, onTestFinished, test} from 'vitest';
import {MemberBook} from '../../source/identity/member-book.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const day = 86_400_000;
const peer = (n: number) => n.toString(16).padStart(64, '0');

function open(folder: string): MemberBook {
	const book = MemberBook.open(folder, {make: true, synced: true})!;
	onTestFinished(() => book.close());
	return book;
}

describe('the list of members', () => {
	test('is read and written by two processes side by side', async () => {
		const folder = await tempFolder();
		expect(MemberBook.open(folder, {make: false, synced: true})).toBeUndefined();
		const [server, command] = [open(folder), open(folder)];
		server.setPrivate(true);
		expect(command.isPrivate).toBe(true);
		const {code, id} = command.invite({uses: 2, life: day});
		server.join(peer(1), 'alice', code);
		server.join(peer(1), 'alice', code);
		expect(command.isMember(peer(1))).toBe(true);
		expect(command.invites()).toMatchObject([{id, uses: 2, used: 1, state: 'open'}]);
		expect(command.remove('alice').withdrawn?.id).toBe(id);
		expect(server.isMember(peer(1))).toBe(false);
		expect(server.removedSince(0).map(member => member.id)).toEqual([peer(1)]);
		expect(server.networkKey).toMatch(/^[0-9a-f]{64}$/);
		const key = server.networkKey;
		server.setPrivate(false);
		server.setPrivate(true);
		expect(command.networkKey).toBe(key);
	});

	test('lets in no more than an invite says, however many come at once', async () => {
		const folder = await tempFolder();
		const books = [open(folder), open(folder)];
		const {code} = books[0]!.invite({uses: 3, life: day});
		let refused = 0;
		for (let n = 1; n <= 8; n++) {
			try {
				books[n % 2]!.join(peer(n), `p${n}`, code);
			} catch (error) {
				expect(error).toMatchObject({code: 'bad-invite'});
				refused++;
			}
		}
		expect(refused).toBe(5);
		expect(books[1]!.members()).toHaveLength(3);
	});

	test('lets a removed member in again by a newer invite alone', async () => {
		const book = open(await tempFolder());
		const [first, second] = [book.invite({uses: 9, life: day}), book.invite({uses: 9, life: day})];
		book.join(peer(1), 'alice', first.code);
		book.join(peer(2), 'bob', first.code);
		book.remove(peer(1).slice(-8).padStart(64, '0'));
		expect(() => book.join(peer(1), 'alice', first.code)).toThrow(expect.objectContaining({code: 'bad-invite'}));
		expect(() => book.join(peer(1), 'alice', second.code)).toThrow(expect.objectContaining({code: 'not-a-member'}));
		await new Promise(resolve => setTimeout(resolve, 2));
		book.join(peer(1), 'alice', book.invite({uses: 1, life: day}).code);
		expect(book.isMember(peer(1))).toBe(true);
		expect(book.isMember(peer(2))).toBe(true);
	});

	test('finds members as people name them', async () => {
		const book = open(await tempFolder());
		const {code} = book.invite({uses: 9, life: day});
		const ids = ['ab12'.padEnd(64, '0'), 'ab13'.padEnd(64, '0'), 'cd'.padEnd(64, '0')];
		for (const [n, id] of ids.entries()) book.join(id, n === 2 ? 'Carol' : 'twin', code);
		book.note(ids[2]!, {number: 7});
		expect(() => book.remove('twin')).toThrow(expect.objectContaining({code: 'ambiguous'}));
		expect(() => book.remove('ab')).toThrow(expect.objectContaining({code: 'not-found'}));
		expect(book.remove('ab12').member.id).toBe(ids[0]);
		expect(book.remove('#7').member.name).toBe('Carol');
		expect(() => book.remove('carol')).toThrow(expect.objectContaining({code: 'not-found'}));
	});

	test('refuses a file that is something else, or newer', async () => {
		const folder = await tempFolder();
		const file = path.join(folder, 'members.db');
		writeFileSync(file, 'x'.repeat(5000), {mode: 0o600});
		expect(() => MemberBook.open(folder, {make: true, synced: true})).toThrow(
			expect.objectContaining({code: 'bad-database'}),
		);
		writeFileSync(file, '');
		open(folder);
		const database = new DatabaseSync(file);
		database.exec('PRAGMA user_version=99');
		database.close();
		expect(() => MemberBook.open(folder, {make: false, synced: true})).toThrow(
			expect.objectContaining({code: 'bad-database'}),
		);
	});
});
