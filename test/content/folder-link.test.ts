import fc from 'fast-check';
import {expect, test} from 'vitest';
import {formatFolderLink, looksLikeFolderLink, parseFolderLink} from '../../source/content/folder-link.ts';
import {P2pError} from '../../source/core/errors.ts';
import {sharePathProblem} from '../../source/core/share-path.ts';

const id = 'ab'.repeat(32);
const peer = fc.uint8Array({minLength: 32, maxLength: 32}).map(bytes => Buffer.from(bytes).toString('hex'));
const text = fc.oneof(fc.string({unit: 'binary'}), fc.string({unit: 'grapheme'}), fc.constant('a + b & c=d?#%41'));
const path = fc
	.array(text, {minLength: 1, maxLength: 5})
	.map(parts => parts.join('/'))
	.filter(joined => sharePathProblem(joined) === undefined);

test('a link says what was put into it, in printable ASCII that needs quotes only for ? and &', () => {
	fc.assert(
		fc.property(
			fc.record({peer, path: fc.oneof(path, fc.constant('')), servers: fc.array(text, {maxLength: 3})}),
			link => {
				const written = formatFolderLink(link);
				expect(written).toMatch(/^p2p-tui:\/\/[0-9a-f]{64}\/[\w%./-]*(\?[\w%.=&-]*)?$/);
				expect(looksLikeFolderLink(written)).toBe(true);
				expect(parseFolderLink(written)).toEqual({...link, servers: link.servers.map(server => server.toWellFormed())});
			},
		),
	);
});

test('links as people write them', () => {
	const here = {peer: id, path: 'music/live album', servers: ['192.168.1.20:45000']};
	expect(formatFolderLink(here)).toBe(`p2p-tui://${id}/music/live%20album?tr=192.168.1.20%3A45000`);
	for (const written of [
		`P2P-TUI://${id.toUpperCase()}/music/live album/?tr=192.168.1.20:45000`,
		`p2p-tui://${id}/music/live%20album?new=thing&tr=192.168.1.20:45000`,
	])
		expect(parseFolderLink(written)).toEqual(here);
	for (const all of [`p2p-tui://${id}`, `p2p-tui://${id}/`])
		expect(parseFolderLink(all)).toEqual({peer: id, path: '', servers: []});
});

test.each([
	['', 'does not start'],
	['magnet:?xt=x', 'does not start'],
	['p2p-tui://', 'does not name a peer'],
	['p2p-tui://alice/music', 'does not name a peer'],
	[`p2p-tui://${'a'.repeat(63)}/music`, 'does not name a peer'],
	[`p2p-tui://x@${id}/music`, 'does not name a peer'],
	[`p2p-tui://${id}:25000/music`, 'does not name a peer'],
	[`p2p-tui://${id}/music#top`, 'does not name a peer'],
	[`p2p-tui://${id}/a%2Fb`, 'hides a slash'],
	[`p2p-tui://${id}/a%ff`, 'not percent-encoded'],
	[`p2p-tui://${id}/a%`, 'not percent-encoded'],
	[`p2p-tui://${id}/a/../b`, 'has the component'],
	[`p2p-tui://${id}/%2e%2e/b`, 'has the component'],
	[`p2p-tui://${id}//b`, 'absolute'],
	[`p2p-tui://${id}/a//b`, 'has the component'],
	[`p2p-tui://${id}/x/a%2Fb`, 'hides a slash'],
	[`p2p-tui://${id}/a%00`, 'NUL'],
	[`p2p-tui://${id}/${'x'.repeat(300)}`, 'longer than'],
])('%j is refused', (link, why) => {
	expect(() => parseFolderLink(link)).toThrow(expect.objectContaining({message: expect.stringContaining(why)}));
});

test('any text gives a path that can be shared, or an error that says what is wrong', () => {
	fc.assert(
		fc.property(fc.string({unit: 'binary'}), tail => {
			try {
				const {path: found} = parseFolderLink(`p2p-tui://${id}/${tail}`);
				if (found !== '') expect(sharePathProblem(found)).toBeUndefined();
			} catch (error) {
				expect(error).toBeInstanceOf(P2pError);
			}
		}),
	);
});
