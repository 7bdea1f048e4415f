import {expect, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {fetchFrom, uploadServer} from '../helpers/upload.ts';

test('who is not allowed gets nothing at all, from the next call on, and others everything', async () => {
	const [alice, mallory] = [await temporaryIdentity(), await temporaryIdentity()];
	const blocked = new Set<string | undefined>();
	const {port, catalog, bugs} = await uploadServer({allow: id => !blocked.has(id)});
	const {content} = await catalog.write('letter.txt', 'dear alice');
	const everything = [
		'/v1',
		'/v1/browse',
		'/v1/search?q=letter',
		`/v1/files/${content}`,
		`/v1/files/${content}/pieces`,
		'/nothing',
	];
	const statuses = async (identity?: typeof alice) =>
		Promise.all(everything.map(async url => (await fetchFrom(port, url, {identity})).status));
	const open = [200, 200, 200, 200, 200, 404];
	const shut = everything.map(() => 403);
	expect(await statuses(mallory)).toEqual(open);
	blocked.add(mallory.id);
	expect(await statuses(mallory)).toEqual(shut);
	const {body} = await fetchFrom(port, `/v1/files/${content}`, {identity: mallory});
	expect(JSON.parse(body.toString())).toEqual({code: 'refused', message: 'This peer does not share with you'});
	expect([await statuses(alice), await statuses()]).toEqual([open, open]);
	blocked.add(undefined);
	expect([await statuses(alice), await statuses()]).toEqual([open, shut]);
	blocked.clear();
	expect(await statuses(mallory)).toEqual(open);
	expect(bugs).toEqual([]);
});
